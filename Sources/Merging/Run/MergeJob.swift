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
    /// How the present pass cuts the tensor.
    var cut: Cut
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

  private let inputs: [InputTensor]
  private let output: OutputTensor
  private let cut: Cut
  private let scratchCount: Int
  private let state: Mutex<State>

  init(_ method: M, _ inputs: [InputTensor], _ output: OutputTensor) {
    self.inputs = inputs
    self.output = output
    cut = Cut(method.granularity, output.info)
    scratchCount = method.scratchCount
    let survey = method.survey()
    state = Mutex(State(method: method, cut: cut.sampled(by: survey?.sample), survey: survey))
  }

  var chunkCount: Int { state.withLock { $0.cut.chunkCount } }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    // Statistics are handed from chunk to chunk by their only reference: histograms are large, and a second
    // reference would have them copied for each chunk.
    if var pass = takePass() {
      try forEachBlock(of: chunk, pass.cut, workspace) { pass.statistics.observe($0) }
      keep(pass.statistics, of: chunk)
    } else {
      try blend(state.withLock { $0.method }, chunk, workspace)
    }
  }

  /// Statistics to add to, and what they are about; nil while blending.
  private func takePass() -> (statistics: M.Statistics, cut: Cut)? {
    state.withLock { state in
      (state.spare.popLast() ?? state.survey).map { ($0, state.cut) }
    }
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
    try forEachBlock(of: chunk, cut, workspace) { block in
      method.blend(block)
      let target = staging.baseAddress! + (block.offset - elements.lowerBound) * width
      let spoilt = S.store(
        UnsafePointer(block.output), as: output.info.dtype, to: target, count: block.count)
      if spoilt > 0, failure == nil { failure = try output.spoiled(block, inputs) }
    }
    if let failure { throw failure }
    try output.write(UnsafeRawBufferPointer(staging), at: elements.lowerBound * width)
  }

  /// Loads one block of every input after the other.
  private func forEachBlock(
    of chunk: Int, _ cut: Cut, _ workspace: Workspace, _ body: (Block<S>) throws -> Void
  ) throws {
    let memory = workspace.blocks(
      of: S.self, inputs.count + 1 + scratchCount, capacity: cut.blockSize)
    let (start, stride) = memory
    try withUnsafeTemporaryAllocation(of: UnsafePointer<S>.self, capacity: inputs.count) {
      pointers in
      guard let first = pointers.baseAddress else { return }
      for stretch in cut.stretches(ofChunk: chunk) {
        let bytes = try read(stretch, workspace)
        for elements in cut.blocks(of: stretch) {
          for (index, input) in inputs.enumerated() {
            let buffer = start + index * stride
            if let bytes = bytes[index] {
              let place = (elements.lowerBound - stretch.lowerBound) * input.dtype.byteWidth
              pointers[index] = try input.numbers(elements, from: bytes + place, into: buffer)
            } else {
              try input.load(elements, into: buffer)
              pointers[index] = UnsafePointer(buffer)
            }
          }
          try body(
            Block(
              inputs: UnsafePointer(first), inputCount: inputs.count,
              output: start + inputs.count * stride, count: elements.count,
              offset: elements.lowerBound, rowLength: output.info.rowLength,
              scratch: start + (inputs.count + 1) * stride, scratchStride: stride))
        }
      }
    }
  }

  /// Reads a stretch of every input that is stored element by element; nil for others, and for stretches that
  /// are better read in parts.
  private func read(_ stretch: Range<Int>, _ workspace: Workspace) throws
    -> [UnsafeRawPointer?]
  {
    guard stretch.count <= Cut.stretchCapacity else { return inputs.map { _ in nil } }
    let sizes = inputs.map { input in
      input.isElementwise ? (stretch.count * input.dtype.byteWidth + 63) / 64 * 64 : 0
    }
    let memory = workspace.reading(sizes.reduce(0, +))
    var end = 0
    return try zip(inputs, sizes).map { input, size in
      guard input.isElementwise, size > 0 else { return nil }
      let count = stretch.count * input.dtype.byteWidth
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[end..<end + count])
      try input.read(stretch, into: part)
      end += size
      return UnsafeRawPointer(part.baseAddress)
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
      state.cut = cut.sampled(by: state.survey?.sample)
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
struct Cut: Sendable {
  let elementCount: Int
  let blockSize: Int
  let chunkSize: Int
  /// What is seen of the tensor; nil for everything.
  private var sample: BlockSample?

  /// The most elements in a chunk of ordinary blocks.
  static let chunkCapacity = 32 * blockCapacity

  /// The most elements that are read at once: with those of the other inputs they are still in the processor's
  /// cache when they are converted.
  static let stretchCapacity = 4 * blockCapacity

  /// Runs of a sample in a chunk.
  private static let runsPerChunk = 64

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

  /// The cut of a pass that sees a sample only.
  func sampled(by sample: BlockSample?) -> Cut {
    var cut = self
    cut.sample = sample
    return cut
  }

  /// At least one, so that every pass comes to its end.
  var chunkCount: Int {
    if let sample {
      return max(1, (sample.runCount(of: elementCount) + Self.runsPerChunk - 1) / Self.runsPerChunk)
    }
    return max(1, (elementCount + chunkSize - 1) / chunkSize)
  }

  /// The elements of a chunk of everything.
  func elements(ofChunk chunk: Int) -> Range<Int> {
    let start = chunk * chunkSize
    return start..<min(start + chunkSize, elementCount)
  }

  /// The runs of elements whose bytes are read at once: of whole blocks, or those of the sample.
  func stretches(ofChunk chunk: Int) -> [Range<Int>] {
    if let sample {
      let first = chunk * Self.runsPerChunk
      return (first..<min(first + Self.runsPerChunk, sample.runCount(of: elementCount)))
        .map(sample.run)
    }
    let size = max(1, Self.stretchCapacity / blockSize) * blockSize
    return parts(of: elements(ofChunk: chunk), size)
  }

  func blocks(of stretch: Range<Int>) -> [Range<Int>] { parts(of: stretch, blockSize) }

  private func parts(of elements: Range<Int>, _ size: Int) -> [Range<Int>] {
    stride(from: elements.lowerBound, to: elements.upperBound, by: size).map {
      $0..<min($0 + size, elements.upperBound)
    }
  }
}
