// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Shows the inputs of a tensor block by block, as numbers.
struct BlockReader<S: Scalar>: Sendable {
  let inputs: [InputTensor]
  /// Length of the output's last axis.
  let rowLength: Int
  let scratchCount: Int

  init(_ method: some MergeMethod, _ inputs: [InputTensor], _ output: TensorInfo) {
    self.inputs = inputs
    rowLength = output.rowLength
    scratchCount = method.scratchCount
  }

  /// Loads one block of every input after the other.
  func forEachBlock(
    of chunk: Int, _ cut: Cut, _ workspace: Workspace, _ body: (Block<S>) throws -> Void
  ) throws {
    let (start, stride) = workspace.blocks(
      of: S.self, inputs.count + 1 + scratchCount, capacity: cut.blockSize)
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
              offset: elements.lowerBound, rowLength: rowLength,
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
}
