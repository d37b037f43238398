// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

extension MergePlan.Step {
  /// Whether the output is an input's bytes as they are.
  package var isCopy: Bool {
    switch action {
    case .copy(let index): inputs[index].isPlain
    case .merge(let method):
      method.copiedInput.map {
        inputs[$0].tensor.info.dtype == output.dtype && inputs[$0].isPlain
      } ?? false
    }
  }
}

extension MergePlan {
  /// Bytes of memory that the merge will have resident at most: the program, each thread's blocks, statistics in
  /// the making, and the pages of the inputs that are being read.
  package func estimatedMemory(threads: Int) -> Int {
    let program = 30_000_000
    let perThread = steps.map(workingMemory).max() ?? 0
    return program + threads * perThread
  }

  private func workingMemory(_ step: Step) -> Int {
    guard case .merge(let method) = step.action, !step.isCopy else {
      return (8 << 20) + updates(step)
    }
    let cut = Cut(method.granularity, step.output)
    let width = step.computing == .f64 ? 8 : 4
    let blocks = (step.inputs.count + 1 + method.scratchCount) * cut.blockSize * width
    let chunk = min(cut.chunkSize, step.output.elementCount)
    let staging = chunk * step.output.dtype.byteWidth
    let isSurveyed = method.survey() != nil
    let stretch = min(chunk, Cut.stretchCapacity)
    let pages = step.inputs.reduce(0) { $0 + stretch * $1.tensor.info.dtype.byteWidth }
    // Histograms of magnitudes: two for each input of a method that selects.
    let statistics = !isSurveyed ? 0 : step.inputs.count * 2 * Float.binCount * 8
    return blocks + staging + pages + statistics + method.workspaceSize + updates(step)
  }

  /// The matrices of adapters, as fp32 and once more while they are put in order.
  private func updates(_ step: Step) -> Int {
    step.inputs.reduce(0) { total, input in
      (input.update?.sources ?? []).reduce(total) { $0 + 2 * 4 * $1.info.elementCount }
    }
  }
}
