// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// How far two tensors of one shape are from one another.
package struct TensorDifference: Sendable {
  /// Sums over pairs of elements, in fp64.
  package struct Sums: Sendable {
    package private(set) var count = 0
    private var products = 0.0
    private var squaresOfFirst = 0.0
    private var squaresOfSecond = 0.0
    private var squaresOfDifference = 0.0
    package private(set) var equalSigns = 0
    package private(set) var differing = 0
    package private(set) var largest = 0.0

    init() {}

    /// The cosine of the angle between the two; nil if one of them is zero.
    package var cosine: Double? {
      let scale = (squaresOfFirst * squaresOfSecond).squareRoot()
      return scale > 0 ? max(-1, min(1, products / scale)) : nil
    }

    /// The length of the difference in units of the first one's length; nil if that is zero.
    package var relativeNorm: Double? {
      if squaresOfDifference == 0 { return 0 }
      return squaresOfFirst > 0 ? (squaresOfDifference / squaresOfFirst).squareRoot() : nil
    }

    /// The share of elements that have one sign; nil if there are no elements.
    package var signAgreement: Double? { count > 0 ? Double(equalSigns) / Double(count) : nil }

    mutating func add<S: Scalar>(_ a: UnsafePointer<S>, _ b: UnsafePointer<S>, count: Int) {
      self.count += count
      products += S.dot(a, b, count: count)
      squaresOfFirst += S.dot(a, a, count: count)
      squaresOfSecond += S.dot(b, b, count: count)
      for index in 0..<count {
        let difference = Double(a[index]) - Double(b[index])
        squaresOfDifference += difference * difference
        largest = max(largest, abs(difference))
        // Not `differing += a != b`: a number that is none differs from itself.
        if a[index] != b[index] { differing += 1 }
        if (a[index] > 0) == (b[index] > 0), (a[index] < 0) == (b[index] < 0) { equalSigns += 1 }
      }
    }

    mutating func add(_ other: Sums) {
      count += other.count
      products += other.products
      squaresOfFirst += other.squaresOfFirst
      squaresOfSecond += other.squaresOfSecond
      squaresOfDifference += other.squaresOfDifference
      equalSigns += other.equalSigns
      differing += other.differing
      largest = max(largest, other.largest)
    }
  }

  package enum Finding: Sendable {
    case onlyInFirst
    case onlyInSecond
    case shapes([Int], [Int])
    /// Numbers were compared.
    case compared(Sums)
    /// Tensors that are no numbers to compute with: whether the bytes are equal.
    case bytes(areEqual: Bool)
  }

  package let name: TensorName
  package let first: DType?
  package let second: DType?
  package let finding: Finding

  /// Whether both models hold the same values in the same dtype.
  package var isEqual: Bool {
    guard first == second else { return false }
    switch finding {
    case .compared(let sums): return sums.differing == 0
    case .bytes(let areEqual): return areEqual
    case .onlyInFirst, .onlyInSecond, .shapes: return false
    }
  }
}
