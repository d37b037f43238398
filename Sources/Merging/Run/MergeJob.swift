// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
internal import Weights

/// The merge of one tensor: the passes of its method over all chunks, then the blend.
///
/// `M` is the method, `S` the type that is computed in.
final class MergeJob<M: MergeMethod, S: Scalar>: TensorJob {
  private struct State {
    var method: M
    /// What the present pass gathers, empty; nil while blending.
    var survey: M.Statistics?
    /// The statistics of the chunks before `next`.
    var gathered: M.Statistics?
    /// Statistics of chunks that ran ahead of the one before them.
    var waiting: [Int: M.Statistics] = [:]
    var next = 0
    /// Order-free statistics that no chunk is using at the moment.
    var spare: [M.Statistics] = []
  }

  let chunkCount: Int
  private let inputs: [InputTensor]
  private let output: OutputTensor
  private let cut: Cut
  private let scratchCount: Int
  /// Whether the inputs are small enough to be kept in memory from one pass to the next.
  private let staysResident: Bool
  private let state: Mutex<State>

  init(_ method: M, _ inputs: [InputTensor], _ output: OutputTensor) {
    self.inputs = inputs
    self.output = output
    cut = Cut(method.granularity, output.info)
    chunkCount = cut.chunkCount
    scratchCount = method.scratchCount
    staysResident =
      inputs.reduce(0) { $0 + $1.tensor.info.byteCount } <= Cut.residentLimit
    state = Mutex(State(method: method, survey: method.survey()))
  }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    // Statistics are handed from chunk to chunk by their only reference: histograms are large, and a second
    // reference would have them copied for each chunk.
    if var statistics = takeStatistics() {
      gather(&statistics, chunk, workspace)
      keep(statistics, of: chunk)
    } else {
      try blend(state.withLock { $0.method }, chunk, workspace)
    }
  }

  /// Statistics to add to; nil while blending.
  private func takeStatistics() -> M.Statistics? {
    state.withLock { state in state.spare.popLast() ?? state.survey }
  }

  private func gather(_ statistics: inout M.Statistics, _ chunk: Int, _ workspace: Workspace) {
    forEachBlock(of: chunk, workspace) { statistics.observe($0) }
    if !staysResident { releaseInputs(through: chunk) }
  }

  /// Lets go of the inputs' pages up to a chunk, many chunks at once: each release makes all threads forget
  /// where pages are. A thread that is behind finds its pages again in the system's cache.
  private func releaseInputs(through chunk: Int) {
    let run = Cut.chunksPerRelease
    guard (chunk + 1) % run == 0 || chunk == chunkCount - 1 else { return }
    let start = cut.elements(ofChunk: chunk / run * run).lowerBound
    let elements = start..<cut.elements(ofChunk: chunk).upperBound
    for input in inputs { input.release(elements) }
  }

  private func keep(_ statistics: M.Statistics, of chunk: Int) {
    state.withLock { state in
      if statistics.isOrderFree {
        state.spare.append(statistics)
        return
      }
      state.waiting[chunk] = statistics
      while let next = state.waiting.removeValue(forKey: state.next) {
        if state.gathered == nil { state.gathered = next } else { state.gathered?.append(next) }
        state.next += 1
      }
    }
  }

  private func blend(_ method: M, _ chunk: Int, _ workspace: Workspace) throws {
    let elements = cut.elements(ofChunk: chunk)
    let width = output.info.dtype.byteWidth
    let staging = workspace.staging(elements.count * width)
    var failure: MergeError?
    forEachBlock(of: chunk, workspace) { block in
      method.blend(block)
      let target = staging.baseAddress! + (block.offset - elements.lowerBound) * width
      let spoilt = S.store(
        UnsafePointer(block.output), as: output.info.dtype, to: target, count: block.count)
      if spoilt > 0, failure == nil { failure = output.spoiled(block, inputs) }
    }
    if let failure { throw failure }
    try output.write(UnsafeRawBufferPointer(staging), at: elements.lowerBound * width)
    releaseInputs(through: chunk)
  }

  /// Loads one block of every input after the other.
  private func forEachBlock(
    of chunk: Int, _ workspace: Workspace, _ body: (Block<S>) -> Void
  ) {
    let memory = workspace.blocks(
      of: S.self, inputs.count + 1 + scratchCount, capacity: cut.blockSize)
    let (start, stride) = memory
    withUnsafeTemporaryAllocation(of: UnsafePointer<S>.self, capacity: inputs.count) { pointers in
      for elements in cut.blocks(ofChunk: chunk) {
        for (index, input) in inputs.enumerated() {
          pointers[index] = input.load(elements, into: start + index * stride)
        }
        guard let first = pointers.baseAddress else { return }
        body(
          Block(
            inputs: UnsafePointer(first), inputCount: inputs.count,
            output: start + inputs.count * stride, count: elements.count,
            offset: elements.lowerBound, rowLength: output.info.rowLength,
            scratch: start + (inputs.count + 1) * stride, scratchStride: stride))
      }
    }
  }

  func advance() -> Bool {
    state.withLock { state in
      guard state.survey != nil else { return false }
      for statistics in state.spare {
        if state.gathered == nil {
          state.gathered = statistics
        } else {
          state.gathered?.append(statistics)
        }
      }
      if let gathered = state.gathered { state.method.learn(gathered) }
      state.survey = state.method.survey()
      state.gathered = nil
      state.spare = []
      state.next = 0
      return true
    }
  }
}

/// How a tensor is cut into chunks, the units of work, and these into blocks, the units of computing.
///
/// Depends on the tensor and the method alone, so that sums are added up in the same order always.
struct Cut {
  let elementCount: Int
  let blockSize: Int
  let chunkSize: Int

  /// The most bytes of a tensor's inputs that stay resident from one pass to the next.
  static let residentLimit = 64 << 20

  /// How many chunks of inputs are let go of at once.
  static let chunksPerRelease = 32

  /// The most elements in a chunk of ordinary blocks.
  static let chunkCapacity = 32 * blockCapacity

  init(_ granularity: Granularity, _ tensor: TensorInfo) {
    elementCount = tensor.elementCount
    switch granularity {
    case .elements: blockSize = blockCapacity
    case .rows:
      let row = max(1, tensor.rowLength)
      blockSize = max(1, blockCapacity / row) * row
    case .tensor: blockSize = max(1, elementCount)
    }
    chunkSize = max(1, Self.chunkCapacity / blockSize) * blockSize
  }

  var chunkCount: Int { max(1, (elementCount + chunkSize - 1) / chunkSize) }

  func elements(ofChunk chunk: Int) -> Range<Int> {
    let start = chunk * chunkSize
    return start..<min(start + chunkSize, elementCount)
  }

  func blocks(ofChunk chunk: Int) -> some Sequence<Range<Int>> {
    let elements = elements(ofChunk: chunk)
    return stride(from: elements.lowerBound, to: elements.upperBound, by: blockSize).lazy.map {
      $0..<Swift.min($0 + blockSize, elements.upperBound)
    }
  }
}
