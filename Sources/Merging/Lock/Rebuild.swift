// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage
package import Weights

/// Tensors of a finished merge made once more from the sources, and compared with what is there.
///
/// About a gigabyte is made at a time, beside the model, and removed.
package struct Rebuild: Sendable {
  package let plan: MergePlan
  /// The steps that are made again.
  package let steps: [Int]

  /// Bytes of tensors that are there twice at once, unless one tensor, or those that are surveyed with it, have more.
  private static let batchSize = 1 << 30

  /// - Parameters:
  ///   - share: Of the tensors, 0 to 1; at least one is made.
  ///   - seed: Decides which.
  package init(_ plan: MergePlan, share: Double, seed: UInt64) {
    self.plan = plan
    let count = plan.steps.count
    let wanted = min(count, max(min(1, count), Int((share * Double(count)).rounded(.up))))
    // In the order of digests, which has nothing to do with that of names.
    let ranked = plan.steps.indices.map { index in
      (Digest.sha256(Array("\(seed) \(plan.steps[index].output.name)".utf8)).hex, index)
    }.sorted { $0 < $1 }
    let chosen = Set(ranked.prefix(wanted).map(\.1))
    // Tensors that are surveyed together come out right only together.
    let groups = Set(chosen.compactMap { plan.steps[$0].group })
    steps = plan.steps.indices.filter { index in
      chosen.contains(index) || plan.steps[index].group.map(groups.contains) ?? false
    }
  }

  package var byteCount: Int { steps.reduce(0) { $0 + plan.steps[$1].output.byteCount } }

  /// The tensors that come out otherwise than they are in a model's folder, or are not there.
  ///
  /// Blocks while it computes.
  ///
  /// - Parameters:
  ///   - folder: The merged model.
  ///   - workspace: A folder that is made and removed.
  package func differences(
    from folder: FilePath, workspace: FilePath, threads: Int,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    onEvent: @escaping @Sendable (MergeEvent) -> Void = { _ in }
  ) throws -> [TensorName] {
    let merged = try Checkpoint(folder: folder)
    defer { try? FileSystem.remove(workspace) }
    var differences: [TensorName] = []
    for batch in batches {
      let part = plan.with(batch)
      let writer = try CheckpointWriter(
        target: workspace.appending("part"), layout: part.layout, fingerprint: "a rebuild",
        replacing: true)
      defer { writer.abandon() }
      try MergeRun(part, threads: threads, isCancelled: isCancelled, onEvent: onEvent)
        .fill(writer, for: ShardTensors(of: writer, threads: threads))
      let made = writer.tensorDigests
      for (index, step) in part.steps.enumerated() {
        guard let tensor = merged.tensors[step.output.name], tensor.info == step.output,
          try FastDigest(of: File(merged.path(of: tensor), .read), tensor.range) == made[index]
        else {
          differences.append(step.output.name)
          continue
        }
      }
      try FileSystem.remove(writer.staging)
    }
    return differences
  }

  private var batches: [[Int]] {
    var batches: [[Int]] = []
    var size = 0
    var places: [Int: Int] = [:]
    for index in steps {
      let step = plan.steps[index]
      if let place = step.group.flatMap({ places[$0] }) {
        batches[place].append(index)
        continue
      }
      if batches.isEmpty || size + step.output.byteCount > Self.batchSize {
        batches.append([])
        size = 0
      }
      batches[batches.count - 1].append(index)
      size += step.output.byteCount
      if let group = step.group { places[group] = batches.count - 1 }
    }
    return batches
  }
}

extension MergePlan {
  /// The plan of some of the tensors, in one shard.
  fileprivate func with(_ indices: [Int]) -> MergePlan {
    let steps = indices.map { self.steps[$0] }
    return MergePlan(
      recipe: recipe, method: method, models: models, donor: donor, steps: steps,
      layout: ShardLayout(steps.map(\.output), maximumShardSize: 0), config: nil, files: [],
      writtenFiles: [], vocabulary: vocabulary, layers: [], unused: [], seed: seed, warnings: [])
  }
}
