// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The dot products of pairs of inputs over a whole tensor, in fp64.
package struct DotProducts: Survey {
  package let pairs: [(Int, Int)]
  /// One sum for each pair.
  package private(set) var sums: [Double]

  package init(pairs: [(Int, Int)]) {
    self.pairs = pairs
    sums = [Double](repeating: 0, count: pairs.count)
  }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    for (index, pair) in pairs.enumerated() {
      sums[index] += S.dot(block[pair.0], block[pair.1], count: block.count)
    }
  }

  package mutating func append(_ next: DotProducts) {
    for index in sums.indices { sums[index] += next.sums[index] }
  }
}
