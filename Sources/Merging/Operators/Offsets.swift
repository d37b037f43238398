// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The vectors that a method merges: its models as they are, or their differences from the base.
package struct Offsets: Sendable {
  /// The inputs, the base excepted.
  let inputs: [Int]
  let base: Int?

  init(_ inputs: [Int], from base: Int? = nil) {
    self.inputs = inputs
    self.base = base
  }

  /// The models of a tensor, as differences from the base if there is one.
  init(_ tensor: MergeTensor) { self.init(tensor.others, from: tensor.base) }

  var count: Int { inputs.count }

  /// The scratch blocks that `load` fills: the first ones, one for each difference.
  var scratchCount: Int { base == nil ? 0 : count }

  /// Calls `body` with a pointer to the elements of each vector.
  func load<S: Scalar>(
    _ block: Block<S>, _ body: (UnsafePointer<UnsafePointer<S>>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<S>.self, capacity: count) { vectors in
      for (index, input) in inputs.enumerated() {
        if let base {
          let difference = block.scratch(index)
          S.subtract(block[input], block[base], into: difference, count: block.count)
          vectors[index] = UnsafePointer(difference)
        } else {
          vectors[index] = block[input]
        }
      }
      if let start = vectors.baseAddress { body(UnsafePointer(start)) }
    }
  }

  /// Writes the sum of the vectors, each times its coefficient, and of the base.
  func combine<S: Scalar>(_ block: Block<S>, _ coefficients: [Double]) {
    load(block) { vectors in
      withUnsafeTemporaryAllocation(of: S.self, capacity: count) { factors in
        for index in 0..<count { factors[index] = S(coefficients[index]) }
        guard let start = factors.baseAddress else { return }
        S.combine(vectors, start, inputCount: count, into: block.output, count: block.count)
      }
    }
    addBase(block)
  }

  /// Adds the base to what is in the output.
  func addBase<S: Scalar>(_ block: Block<S>) {
    guard let base else { return }
    S.add(block[base], block.output, into: block.output, count: block.count)
  }
}
