// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
internal import Weights

/// Takes the digests of the tensors in the shards of a merge when a shard is done, while its bytes are still in
/// memory; the writer keeps them.
final class ShardTensors: ShardConsumer {
  private let writer: CheckpointWriter
  private let threads: Int
  private let next: (any ShardConsumer)?

  /// - Parameter next: Who else is told of the shards, after they have been digested: it may remove them.
  init(of writer: CheckpointWriter, threads: Int, next: (any ShardConsumer)? = nil) {
    self.writer = writer
    self.threads = max(1, threads)
    self.next = next
  }

  func willBegin(_ shard: ShardLayout.Shard) throws { try next?.willBegin(shard) }

  func didFinish(_ shard: FinishedShard) throws {
    let file = try File(shard.path, .read)
    let layout = writer.layout
    let tensors = layout.shards[shard.number].tensors
    let found = Mutex<[Int: FastDigest]>([:])
    let state = Monitor<(next: Int, failure: (any Error)?)>((0, nil))
    // Of a model in one shard all other threads are done by now.
    WorkerThreads.run(threads) {
      while true {
        let index = state.update { state -> Int? in
          guard state.failure == nil, state.next < tensors.count else { return nil }
          defer { state.next += 1 }
          return tensors[state.next]
        }
        guard let index else { return }
        do {
          let digest = try FastDigest(of: file, layout.places[index].range)
          found.withLock { $0[index] = digest }
        } catch {
          state.update { if $0.failure == nil { $0.failure = error } }
        }
      }
    }
    if let failure = state.update({ $0.failure }) { throw failure }
    try writer.note(tensors: found.withLock { $0 }, of: shard)
    try next?.didFinish(shard)
  }
}
