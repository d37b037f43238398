// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The dot products of all pairs of vectors over a whole tensor, in fp64: what lengths and angles are made of.
package struct DotProducts: Survey {
  private let vectors: Offsets
  /// The upper triangle, row by row.
  private var sums: [Double]

  init(_ vectors: Offsets) {
    self.vectors = vectors
    sums = [Double](repeating: 0, count: vectors.count * (vectors.count + 1) / 2)
  }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    let count = vectors.count
    vectors.load(block) { vector in
      var place = 0
      for first in 0..<count {
        for second in first..<count {
          sums[place] += S.dot(vector[first], vector[second], count: block.count)
          place += 1
        }
      }
    }
  }

  package mutating func append(_ next: DotProducts) {
    for index in sums.indices { sums[index] += next.sums[index] }
  }

  subscript(first: Int, second: Int) -> Double {
    let (row, column) = (min(first, second), max(first, second))
    return sums[row * (2 * vectors.count - row + 1) / 2 + column - row]
  }

  /// The length of a vector.
  func norm(_ index: Int) -> Double { self[index, index].squareRoot() }

  /// The cosine of the angle between two vectors, −1 to 1; 0 if one has no length.
  ///
  /// - Parameter floor: The least that the product of their lengths is taken for.
  func cosine(_ first: Int, _ second: Int, floor: Double = 0) -> Double {
    let scale = max(norm(first) * norm(second), floor)
    return scale > 0 ? max(-1, min(1, self[first, second] / scale)) : 0
  }
}
