// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Room on the disk for shards: a merge waits here until uploads have made some.
///
/// Shards are let in by their turns and in no other order: if a later one could take the room of one before it, all
/// threads might come to wait for a shard that none of them goes on with.
actor DiskRoom {
  private let capacity: Int
  private var used = 0
  /// The next one to be let in.
  private var turn = 0
  /// Turns that somebody has had without asking.
  private var passed: Set<Int> = []
  private var waiting: [Int: (size: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
  private var failure: (any Error)?

  /// - Parameter capacity: Bytes of shards that may be there at once; nil for any number.
  init(_ capacity: Int?) { self.capacity = capacity ?? .max }

  /// Takes room for what is there already, whether there is any or not.
  ///
  /// - Parameter turn: The one that is used up by it; nil if it has none.
  func occupy(_ size: Int, turn: Int? = nil) {
    used += size
    if let turn { passed.insert(turn) }
    admit()
  }

  /// Waits for a turn, and then for room. One shard is let in whatever its size: without it nothing would ever go
  /// on.
  func acquire(_ size: Int, turn: Int) async throws {
    if let failure { throw failure }
    try await withCheckedThrowingContinuation {
      waiting[turn] = (size, $0)
      admit()
    }
  }

  func release(_ size: Int) {
    used -= size
    admit()
  }

  /// Turns away those who wait and those who are to come: no room will be made any more.
  func close(_ error: any Error) {
    failure = failure ?? error
    for one in waiting.values { one.continuation.resume(throwing: error) }
    waiting = [:]
  }

  private func admit() {
    while true {
      if passed.remove(turn) == nil {
        guard let next = waiting[turn], used == 0 || next.size <= capacity - used else { return }
        waiting[turn] = nil
        used += next.size
        next.continuation.resume()
      }
      turn += 1
    }
  }
}
