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
  ///
  /// - Parameter consumer: What is told of the shards.
  package func fill(_ writer: CheckpointWriter, for consumer: (any ShardConsumer)? = nil) throws {
    let resumed = writer.resumedShards.reduce(0) { $0 + plan.layout.shards[$1].size }
    onEvent(
      .started(
        bytes: plan.layout.fileSize, shards: plan.layout.shards.count, resumed: resumed))

    let shards = OutputShards(writer, consumer, onEvent: onEvent)
    try shards.handOverResumed()
    let missing = plan.layout.shards.indices.filter { !writer.resumedShards.contains($0) }
    let steps = missing.flatMap { plan.layout.shards[$0].tensors }
    let inputs = try Inputs(plan, order: steps)
    for shard in missing
    where plan.layout.shards[shard].size == plan.layout.shards[shard].header.count {
      try shards.finish(shard)
    }
    let methods = try surveyGroups(inputs)
    try run(
      WorkQueue(steps) { index in
        inputs.begin(index)
        var step = plan.steps[index]
        if let method = methods[index] { step = step.replacing(.merge(method), group: step.group) }
        return try step.job(
          inputs,
          OutputTensor(
            info: step.output, shard: plan.layout.places[index].shard,
            range: plan.layout.places[index].range, shards: shards,
            models: step.inputs.map { plan.models[$0.model].name }))
      }
    ) { inputs.end($0) }
  }

  /// Makes the surveys that are about several tensors.
  ///
  /// - Returns: The methods that have learned from them, by their steps.
  private func surveyGroups(_ inputs: Inputs) throws -> [Int: any MergeMethod] {
    let members = Dictionary(grouping: plan.steps.indices.filter { plan.steps[$0].group != nil }) {
      plan.steps[$0].group ?? 0
    }
    var groups: [Int: any SurveyedGroup] = [:]
    for (number, steps) in members {
      guard case .merge(let first)? = steps.first.map({ plan.steps[$0].action }) else { continue }
      groups[number] = first.surveyed(with: steps, of: plan)
    }
    while true {
      let due = groups.filter { $0.value.beginPass() }
      if due.isEmpty { break }
      let steps = due.keys.flatMap { members[$0] ?? [] }.sorted()
      let queue = WorkQueue(steps) { step in
        guard let group = plan.steps[step].group, let survey = due[group] else {
          preconditionFailure("a step without a group is surveyed with one")
        }
        return try survey.job(step, of: plan, inputs)
      }
      try run(queue) { _ in }
      for group in due.values { group.endPass() }
    }
    return groups.values.reduce(into: [:]) { $0.merge($1.methods) { $1 } }
  }

  /// Works a queue off.
  ///
  /// - Parameter onDone: Told of every tensor that is done.
  private func run(_ queue: WorkQueue, _ onDone: @escaping @Sendable (Int) -> Void) throws {
    let failure = Monitor<(any Error)?>(nil)
    WorkerThreads.run(threads) {
      do {
        let workspace = Workspace()
        while let ticket = try queue.take() {
          if isCancelled() { throw MergeError.cancelled }
          try ticket.job.run(ticket.chunk, in: workspace)
          if queue.finish(ticket) { onDone(ticket.index) }
        }
      } catch {
        queue.fail(error)
        failure.update { if $0 == nil { $0 = error } }
      }
    }
    if let error = failure.update({ $0 }) { throw error }
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
