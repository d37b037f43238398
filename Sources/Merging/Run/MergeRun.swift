// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
package import Weights

/// The computing of a plan's tensors into the shards of a writer.
///
/// Blocks until all shards are finished; the threads are its own.
package struct MergeRun: Sendable {
  package let plan: MergePlan
  package let threads: Int
  /// Asked between chunks; true stops the run with `MergeError.cancelled`.
  package let isCancelled: @Sendable () -> Bool
  package let onEvent: @Sendable (MergeEvent) -> Void

  package init(
    _ plan: MergePlan, threads: Int, isCancelled: @escaping @Sendable () -> Bool = { false },
    onEvent: @escaping @Sendable (MergeEvent) -> Void = { _ in }
  ) {
    self.plan = plan
    self.threads = max(1, threads)
    self.isCancelled = isCancelled
    self.onEvent = onEvent
  }

  /// Fills and finishes every shard that the writer does not have yet.
  package func fill(_ writer: CheckpointWriter) throws {
    let resumed = writer.resumedShards.reduce(0) { $0 + plan.layout.shards[$1].size }
    onEvent(
      .started(
        bytes: plan.layout.fileSize, shards: plan.layout.shards.count, resumed: resumed))

    let inputs = try Inputs(plan)
    let missing = plan.layout.shards.indices.filter { !writer.resumedShards.contains($0) }
    let steps = missing.flatMap { plan.layout.shards[$0].tensors }
    let remaining = Monitor(plan.layout.shards.map(\.tensors.count))
    for shard in missing where plan.layout.shards[shard].tensors.isEmpty {
      try writer.finish(shard: shard)
    }
    let queue = WorkQueue(steps) { index in
      try plan.steps[index].job(
        inputs,
        OutputTensor(
          info: plan.steps[index].output, shard: plan.layout.places[index].shard,
          range: plan.layout.places[index].range, writer: writer,
          models: plan.steps[index].inputs.map { plan.models[$0.model].name }, onEvent: onEvent))
    }
    let failure = Monitor<(any Error)?>(nil)
    WorkerThreads.run(threads) {
      do {
        let workspace = Workspace()
        while let ticket = try queue.take() {
          if isCancelled() { throw MergeError.cancelled }
          try ticket.job.run(ticket.chunk, in: workspace)
          guard queue.finish(ticket) else { continue }
          let shard = plan.layout.places[ticket.index].shard
          let isLast = remaining.update { counts in
            counts[shard] -= 1
            return counts[shard] == 0
          }
          if isLast {
            try writer.finish(shard: shard)
            onEvent(.finishedShard(name: plan.layout.shards[shard].name))
          }
        }
      } catch {
        queue.fail(error)
        failure.update { if $0 == nil { $0 = error } }
      }
    }
    if let error = failure.update({ $0 }) { throw error }
  }
}

/// The mapped files of a plan's inputs.
struct Inputs: Sendable {
  private let files: [[MappedFile?]]
  private let models: [MergePlan.Model]

  /// Maps every shard that a step reads.
  init(_ plan: MergePlan) throws {
    var needed = plan.models.map { Array(repeating: false, count: $0.checkpoint.shards.count) }
    for step in plan.steps {
      for input in step.inputs {
        for (model, tensor) in input.reads { needed[model][tensor.shard] = true }
      }
    }
    models = plan.models
    files = try plan.models.enumerated().map { number, model in
      try model.checkpoint.shards.enumerated().map { index, shard in
        guard needed[number][index] else { return nil }
        let path = model.checkpoint.path(of: shard)
        let file = try MappedFile(path)
        guard file.bytes.count == shard.size else { throw MergeError.inputChanged(path) }
        return file
      }
    }
  }

  func tensor(_ input: MergePlan.Input, rounding: DType?) throws -> InputTensor {
    var tensor = try stored(input.tensor, of: input.model)
    let dtype = tensor.dtype
    tensor.rounding = rounding.flatMap { dtype.holdsMore(than: $0) ? $0 : nil }
    tensor.update = try input.update.map { update in
      try LoadedUpdate(update, of: input.tensor.info) { try numbers($0, of: input.model) }
    }
    if let view = input.view {
      var sources: [Int: InputTensor] = [:]
      for source in view.sources { sources[source.model] = try self.tensor(source, rounding: nil) }
      tensor.rows = LoadedRows(
        view.map, width: input.tensor.info.shape.dropFirst().reduce(1, *), from: sources)
      tensor.rounding = rounding.flatMap { rounding in
        view.sources.contains { $0.tensor.info.dtype.holdsMore(than: rounding) } ? rounding : nil
      }
    }
    return tensor
  }

  private func stored(_ tensor: StoredTensor, of model: Int) throws -> InputTensor {
    guard let file = files[model][tensor.shard] else {
      throw MergeError.inputChanged(models[model].checkpoint.path(of: tensor))
    }
    return InputTensor(file: file, tensor: tensor)
  }

  /// All elements of a tensor, in memory.
  private func numbers(_ tensor: StoredTensor, of model: Int) throws -> [Float] {
    let count = tensor.info.elementCount
    let input = try stored(tensor, of: model)
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress { input.convert(0..<count, into: start) }
      initialized = count
    }
  }
}

extension MergePlan.Step {
  /// The work that makes this step's tensor.
  func job(_ inputs: Inputs, _ output: OutputTensor) throws -> any TensorJob {
    let tensors = try self.inputs.map { try inputs.tensor($0, rounding: computing) }
    switch action {
    case .copy(let index):
      guard !self.inputs[index].isPlain else { return CopyJob(tensors[index], output) }
      return job(Passthrough(), Float.self, [tensors[index]], output)
    case .merge(let method):
      if let index = method.copiedInput, tensors[index].dtype == output.info.dtype,
        tensors[index].isPlain
      {
        return CopyJob(tensors[index], output)
      }
      return computing == .f64
        ? job(method, Double.self, tensors, output) : job(method, Float.self, tensors, output)
    }
  }

  private func job<M: MergeMethod, S: Scalar>(
    _ method: M, _ type: S.Type, _ tensors: [InputTensor], _ output: OutputTensor
  ) -> any TensorJob {
    MergeJob<M, S>(method, tensors, output)
  }
}
