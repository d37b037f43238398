// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Room on the disk for shards: a merge waits here until uploads have made some.
actor DiskRoom {
  private let capacity: Int
  private var used = 0
  private var waiting: [(size: Int, continuation: CheckedContinuation<Void, any Error>)] = []
  private var failure: (any Error)?

  /// - Parameter capacity: Bytes of shards that may be there at once; nil for any number.
  init(_ capacity: Int?) { self.capacity = capacity ?? .max }

  /// Takes room for what is there already.
  func occupy(_ size: Int) { used += size }

  /// Waits for room. One shard is let in whatever its size: without it nothing would ever go on.
  func acquire(_ size: Int) async throws {
    if let failure { throw failure }
    if waiting.isEmpty, hasRoom(size) {
      used += size
      return
    }
    try await withCheckedThrowingContinuation { waiting.append((size, $0)) }
  }

  func release(_ size: Int) {
    used -= size
    while let next = waiting.first, hasRoom(next.size) {
      used += next.size
      waiting.removeFirst().continuation.resume()
    }
  }

  /// Turns away those who wait and those who are to come: no room will be made any more.
  func close(_ error: any Error) {
    failure = failure ?? error
    for one in waiting { one.continuation.resume(throwing: error) }
    waiting = []
  }

  private func hasRoom(_ size: Int) -> Bool { used == 0 || size <= capacity - used }
}
