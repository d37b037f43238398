// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import Weights

extension MergeRecord {
  /// Looks at the numbers of a finished merge: those runs of elements that a record is made of, of the sources and of
  /// the result, and nothing else is read.
  ///
  /// - Parameters:
  ///   - merged: The result of the plan.
  ///   - isCancelled: Asked between tensors.
  ///   - onProgress: Told the number of each tensor that is done.
  package mutating func observe(
    _ plan: MergePlan, _ merged: Checkpoint, threads: Int,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    onProgress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    let inputs = try Inputs(plan, order: Array(plan.steps.indices))
    let files = try merged.shards.map { try File(merged.path(of: $0), .read) }
    let results = Monitor<(next: Int, sums: [Int: TensorSums], failure: (any Error)?)>(
      (0, [:], nil))
    WorkerThreads.run(max(1, threads)) {
      while true {
        let index = results.update { state -> Int? in
          guard state.failure == nil, state.next < plan.steps.count else { return nil }
          defer { state.next += 1 }
          return state.next
        }
        guard let index else { return }
        do {
          if isCancelled() { throw MergeError.cancelled }
          let sums = try plan.sums(of: index, inputs, merged, files)
          results.update { $0.sums[index] = sums }
          onProgress(index)
        } catch {
          results.update { if $0.failure == nil { $0.failure = error } }
        }
      }
    }
    let state = results.update { $0 }
    if let failure = state.failure { throw failure }
    for (index, sums) in state.sums { tensors[index].sums = sums }
  }
}

extension MergePlan {
  /// The sums of a step; nil for a tensor that is no numbers.
  fileprivate func sums(
    of index: Int, _ inputs: Inputs, _ merged: Checkpoint, _ files: [File]
  ) throws -> TensorSums? {
    let step = steps[index]
    guard step.output.dtype.isFloat else { return nil }
    guard let stored = merged.tensors[step.output.name], stored.info == step.output else {
      throw MergeError.notAsPlanned(merged.folder, reason: "there is no \(step.output)")
    }
    let sources = try step.inputs.map { try inputs.tensor($0, rounding: step.computing) }
    guard sources.allSatisfy({ $0.dtype.isFloat }) else { return nil }
    let result = InputTensor(stored, in: files[stored.shard])
    return step.computing == .f64
      ? try sums(step, sources, result, Double.self)
      : try sums(step, sources, result, Float.self)
  }

  private func sums<S: Scalar>(
    _ step: Step, _ sources: [InputTensor], _ result: InputTensor, _ type: S.Type
  ) throws -> TensorSums {
    let base = base(of: step)
    var sums = TensorSums(inputs: sources.count, hasBase: base != nil)
    let workspace = Workspace()
    let (start, stride) = workspace.blocks(
      of: type, sources.count + 1, capacity: TensorSums.runLength)
    let count = step.output.elementCount
    for run in TensorSums.sampled(0..<count, of: count) {
      var loaded: [UnsafePointer<S>] = []
      for (index, source) in sources.enumerated() {
        try source.load(run, into: start + index * stride)
        loaded.append(UnsafePointer(start + index * stride))
      }
      let merged = start + sources.count * stride
      try result.load(run, into: merged)
      sums.observe(loaded, base: base, result: UnsafePointer(merged), count: run.count)
    }
    return sums
  }
}
