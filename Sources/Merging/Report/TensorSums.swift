// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// How far the inputs of a tensor are from its base and from its result, as sums of squares in fp64.
///
/// Of a large tensor only some runs of elements are looked at, at the same places always, so that it costs little
/// and comes out the same however the work is cut up.
package struct TensorSums: Hashable, Sendable {
  /// Elements that were looked at.
  package internal(set) var count = 0
  package internal(set) var result = 0.0
  /// Of each input.
  package internal(set) var inputs: [Double]
  /// Of each input's difference from the base; empty without a base.
  package internal(set) var fromBase: [Double]
  /// Of the result's difference from each input.
  package internal(set) var fromResult: [Double]
  /// Pairs of task vectors at an element where neither is zero, and how many of them have one sign.
  package internal(set) var signPairs = 0
  package internal(set) var equalSigns = 0

  package init(inputs: Int, hasBase: Bool) {
    self.inputs = Array(repeating: 0, count: inputs)
    fromBase = Array(repeating: 0, count: hasBase ? inputs : 0)
    fromResult = Array(repeating: 0, count: inputs)
  }

  /// Elements in a run.
  static let runLength = 8192

  /// About how many runs of a tensor are looked at.
  static let runLimit = 64

  /// Those elements of a range that belong to runs that are looked at.
  ///
  /// - Parameter elementCount: Of the whole tensor.
  static func sampled(_ range: Range<Int>, of elementCount: Int) -> [Range<Int>] {
    let step = runLength * max(1, elementCount / (runLength * runLimit))
    var runs: [Range<Int>] = []
    var start = range.lowerBound / step * step
    while start < range.upperBound {
      let (first, end) = (max(start, range.lowerBound), min(start + runLength, range.upperBound))
      if first < end { runs.append(first..<end) }
      start += step
    }
    return runs
  }

  /// Adds what came after this.
  mutating func append(_ next: TensorSums) {
    func add(_ sums: inout [Double], _ others: [Double]) {
      for (index, value) in others.enumerated() { sums[index] += value }
    }
    count += next.count
    result += next.result
    add(&inputs, next.inputs)
    add(&fromBase, next.fromBase)
    add(&fromResult, next.fromResult)
    signPairs += next.signPairs
    equalSigns += next.equalSigns
  }

  /// Looks at a run of elements.
  ///
  /// - Parameters:
  ///   - inputs: `count` elements of each.
  ///   - base: Which of the inputs is the base.
  mutating func observe<S: Scalar>(
    _ inputs: [UnsafePointer<S>], base: Int?, result: UnsafePointer<S>, count: Int
  ) {
    self.count += count
    self.result += S.dot(result, result, count: count)
    withUnsafeTemporaryAllocation(of: S.self, capacity: count * max(2, inputs.count)) { memory in
      guard let scratch = memory.baseAddress else { return }
      for (index, input) in inputs.enumerated() {
        self.inputs[index] += S.dot(input, input, count: count)
        S.subtract(result, input, into: scratch, count: count)
        fromResult[index] += S.dot(scratch, scratch, count: count)
      }
      guard let base, !fromBase.isEmpty else { return }
      var vectors: [UnsafePointer<S>] = []
      for (index, input) in inputs.enumerated() where index != base {
        let vector = scratch + vectors.count * count
        S.subtract(input, inputs[base], into: vector, count: count)
        fromBase[index] += S.dot(vector, vector, count: count)
        vectors.append(UnsafePointer(vector))
      }
      compareSigns(vectors, count)
    }
  }

  private mutating func compareSigns<S: Scalar>(_ vectors: [UnsafePointer<S>], _ count: Int) {
    var (pairs, equal) = (0, 0)
    for first in vectors.indices.dropLast() {
      for second in vectors.indices.dropFirst(first + 1) {
        let (a, b) = (vectors[first], vectors[second])
        for element in 0..<count {
          let product = a[element] * b[element]
          pairs += product != 0 ? 1 : 0
          equal += product > 0 ? 1 : 0
        }
      }
    }
    signPairs += pairs
    equalSigns += equal
  }
}
