// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The same stretch of elements of all inputs, as numbers, and room for the result.
///
/// Lives for one call; nothing in it may be kept.
package struct Block<S: Scalar> {
  /// The most elements in a block of granularity `.elements`: several inputs' blocks fit in a core's cache.
  package static var capacity: Int { blockCapacity }

  /// One pointer to `count` elements for each input.
  package let inputs: UnsafePointer<UnsafePointer<S>>
  package let inputCount: Int
  package let output: UnsafeMutablePointer<S>
  package let count: Int
  /// Index of the first element within the tensor.
  package let offset: Int
  /// Length of the tensor's last axis.
  package let rowLength: Int

  private let scratchStart: UnsafeMutablePointer<S>
  private let scratchStride: Int

  package init(
    inputs: UnsafePointer<UnsafePointer<S>>, inputCount: Int, output: UnsafeMutablePointer<S>,
    count: Int, offset: Int, rowLength: Int, scratch: UnsafeMutablePointer<S>, scratchStride: Int
  ) {
    self.inputs = inputs
    self.inputCount = inputCount
    self.output = output
    self.count = count
    self.offset = offset
    self.rowLength = rowLength
    scratchStart = scratch
    self.scratchStride = scratchStride
  }

  package subscript(input: Int) -> UnsafePointer<S> { inputs[input] }

  /// Working memory for `count` elements; its content is not defined.
  package func scratch(_ index: Int) -> UnsafeMutablePointer<S> {
    scratchStart + index * scratchStride
  }

  /// Number of whole rows in a block of granularity `.rows` or `.tensor`.
  package var rowCount: Int { rowLength == 0 ? 0 : count / rowLength }

  /// Calls `body` with every row as a block of its own.
  package func forEachRow(_ body: (Block<S>) -> Void) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<S>.self, capacity: inputCount) { pointers in
      guard let start = pointers.baseAddress else { return }
      for row in 0..<rowCount {
        let first = row * rowLength
        for index in 0..<inputCount { pointers[index] = inputs[index] + first }
        body(
          Block(
            inputs: UnsafePointer(start), inputCount: inputCount, output: output + first,
            count: rowLength, offset: offset + first, rowLength: rowLength,
            scratch: scratchStart + first, scratchStride: scratchStride))
      }
    }
  }
}

/// See `Block.capacity`; a constant of its own because generic types hold no stored ones.
package let blockCapacity = 8192
