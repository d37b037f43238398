// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Has a say in the shards of a merge: when one may be begun, and what becomes of it.
package protocol ShardConsumer: Sendable {
  /// Called before a shard is laid out; may wait until there is room for it.
  func willBegin(_ shard: ShardLayout.Shard) throws

  /// Called, by the thread that has finished it, with every shard that is safely on the disk, those of an
  /// interrupted run among them.
  func didFinish(_ shard: FinishedShard) throws
}

/// The shards that a merge fills.
final class OutputShards: Sendable {
  private enum Beginning {
    case waiting, begun
  }

  private let writer: CheckpointWriter
  private let consumer: (any ShardConsumer)?
  private let onEvent: @Sendable (MergeEvent) -> Void
  private let beginnings = Monitor<[Int: Beginning]>([:])

  init(
    _ writer: CheckpointWriter, _ consumer: (any ShardConsumer)?,
    onEvent: @escaping @Sendable (MergeEvent) -> Void
  ) {
    self.writer = writer
    self.consumer = consumer
    self.onEvent = onEvent
  }

  /// Hands over the shards of an interrupted run.
  func handOverResumed() throws {
    guard let consumer else { return }
    for shard in try writer.finishedShards() { try consumer.didFinish(shard) }
  }

  /// Writes `count` bytes to a shard; with the last of them it is done.
  func fill(_ shard: Int, _ count: Int, _ write: (ShardFile) throws -> Bool) throws {
    try begin(shard)
    let isComplete = try write(writer.file(shard: shard))
    onEvent(.advanced(bytes: count))
    if isComplete { try finish(shard) }
  }

  func finish(_ shard: Int) throws {
    let finished = try writer.finish(shard: shard)
    onEvent(.finishedShard(name: finished.name))
    try consumer?.didFinish(finished)
  }

  private func begin(_ shard: Int) throws {
    guard let consumer else { return }
    let isFirst = beginnings.wait { beginnings -> Bool? in
      switch beginnings[shard] {
      case nil:
        beginnings[shard] = .waiting
        return true
      case .waiting: return nil
      case .begun: return false
      }
    }
    guard isFirst else { return }
    defer { beginnings.update { $0[shard] = .begun } }
    try consumer.willBegin(writer.layout.shards[shard])
  }
}
