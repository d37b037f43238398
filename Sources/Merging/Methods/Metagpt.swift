// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// MetaGPT: weights task vectors by how long they are.
package struct Metagpt: MergeMethod {
  package static let spec = MethodSpec(
    id: "metagpt", title: "MetaGPT",
    summary: """
      Adds the task vectors to the base, each weighted by its share of the squared lengths of all: the weights \
      that, as far as losses are quadratic and tasks do not touch, are best for all tasks together without any \
      data. Lengths are those of the whole model unless `scope` says otherwise.
      """,
    paper: .init(
      "MetaGPT: Merging Large Language Models Using Model Exclusive Task Arithmetic",
      "https://arxiv.org/abs/2406.11385"),
    base: .required,
    parameters: DepthScaling.parameters("factor of the weighted sum") + [
      .scope("whose lengths decide: each tensor's, a layer's, or the model's", default: .model)
    ],
    differences: MethodSpec.notInMergekit, deviations: "the paper has no `lambda`")

  private let offsets: Offsets
  private let lambda: Double
  private var weights: [Double]?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    lambda = parameters.scale(tensor)
  }

  package var copiedInput: Int? { offsets.count == 0 ? offsets.base : nil }
  package var scratchCount: Int { offsets.scratchCount }
  package func survey() -> SquaredLengths? { weights == nil ? SquaredLengths(offsets) : nil }
  package mutating func learn(_ statistics: SquaredLengths) { weights = statistics.shares }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.combine(block, (weights ?? []).map { lambda * $0 })
  }
}

/// The sum of squares of each vector's elements, in fp64.
package struct SquaredLengths: Survey {
  private let vectors: Offsets
  private(set) var sums: [Double]

  init(_ vectors: Offsets) {
    self.vectors = vectors
    sums = Array(repeating: 0, count: vectors.count)
  }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    vectors.load(block) { vector in
      for index in sums.indices {
        sums[index] += S.dot(vector[index], vector[index], count: block.count)
      }
    }
  }

  package mutating func append(_ next: SquaredLengths) {
    for index in sums.indices { sums[index] += next.sums[index] }
  }

  /// What each is of all together; the same for all if none has any length.
  var shares: [Double] {
    let total = sums.reduce(0, +)
    let equal = 1 / Double(max(1, sums.count))
    return sums.map { total > 0 ? $0 / total : equal }
  }
}
