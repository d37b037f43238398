// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import Merging
internal import Storage
internal import Synchronization
internal import Weights

/// Sends the shards of a merge to the hub, each as soon as it is done and while the next ones are made.
final class ShardUploads: ShardConsumer {
  private let repository: Repository
  private let revision: Revision
  /// Removes a shard that the hub has; nil if shards stay where they are.
  private let discard: (@Sendable (FinishedShard) throws -> Void)?
  private let room: DiskRoom
  private let shards: AsyncStream<FinishedShard>
  private let queue: AsyncStream<FinishedShard>.Continuation
  /// The order in which shards that are yet to be made are given room, by their names.
  private let turns: [String: Int]
  private let begun = Mutex<Set<String>>([])
  private let clock: PhaseClock

  /// Shards sent at the same time, each with several requests if it goes in parts.
  private static let width = 2

  /// - Parameters:
  ///   - missing: The shards that are yet to be made, in their order.
  ///   - room: Bytes of shards that may be on the disk at once.
  ///   - discard: Removes a shard that the hub has; nil if shards stay where they are.
  init(
    to repository: Repository, at revision: Revision, missing: [String], room: Int?,
    clock: PhaseClock,
    discard: (@Sendable (FinishedShard) throws -> Void)?
  ) {
    self.repository = repository
    turns = Dictionary(zip(missing, 0...), uniquingKeysWith: { first, _ in first })
    self.revision = revision
    self.discard = discard
    self.clock = clock
    self.room = DiskRoom(discard == nil ? nil : room)
    (shards, queue) = AsyncStream.makeStream()
  }

  // MARK: The merge's side

  func willBegin(_ shard: ShardLayout.Shard) throws {
    begun.withLock { _ = $0.insert(shard.name) }
    guard let turn = turns[shard.name] else { return }
    try BlockingWork.wait { [room] in try await room.acquire(shard.size, turn: turn) }
  }

  func didFinish(_ shard: FinishedShard) throws {
    if !begun.withLock({ $0.contains(shard.name) }) {
      // Of an earlier run, or nothing but a header.
      let turn = turns[shard.name]
      try BlockingWork.wait { [room] in await room.occupy(shard.size, turn: turn) }
    }
    queue.yield(shard)
  }

  /// Says that there are no more shards.
  func finish() { queue.finish() }

  // MARK: The hub's side

  /// Sends what comes until `finish`; what was staged, in the order of the shards.
  func run() async throws -> [Staging] {
    try await withTaskCancellationHandler {
      do {
        return try await send()
      } catch {
        await room.close(error)
        throw error
      }
    } onCancel: {
      Task { [room] in await room.close(CancellationError()) }
    }
  }

  private func send() async throws -> [Staging] {
    try await withThrowingTaskGroup(of: (Int, Staging).self) { group in
      var staged: [(number: Int, staging: Staging)] = []
      var running = 0
      for await shard in shards {
        if running == Self.width, let done = try await group.next() {
          staged.append(done)
          running -= 1
        }
        running += 1
        group.addTask { [self] in
          do {
            return (shard.number, try await send(shard))
          } catch {
            // The merge may be waiting for room, and nobody for this task yet.
            await room.close(error)
            throw error
          }
        }
      }
      try Task.checkCancellation()
      for try await done in group { staged.append(done) }
      return staged.sorted { $0.number < $1.number }.map(\.staging)
    }
  }

  private func send(_ shard: FinishedShard) async throws -> Staging {
    let started = ContinuousClock.now
    let file = try UploadFile(shard.name, .file(shard.path), knownDigest: shard.digest)
    let examined = try await repository.examine([file], at: revision)
    var staging = try await repository.send(examined, at: revision)
    clock.add((ContinuousClock.now - started).seconds, to: "upload")
    guard let discard else { return staging }
    // A server may want a small one inside the commit: it has to stay until then.
    if staging.files.allSatisfy({ $0.digest.algorithm == .sha256 }) {
      staging.forgetSources()
      try discard(shard)
    }
    await room.release(shard.size)
    return staging
  }
}
