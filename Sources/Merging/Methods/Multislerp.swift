// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The weighted mean direction of any number of models, at their weighted mean length.
package struct Multislerp: MergeMethod {
  package static let spec = MethodSpec(
    id: "multislerp", title: "Multi-SLERP",
    summary: """
      Adds up the directions of the models by weight and gives the sum the weighted mean of their lengths, \
      each tensor taken as one vector. With a base it merges the differences from the base and adds the \
      result to it. A single model is taken as it is.
      """,
    paper: .init(
      "A multi-slerp for merging models",
      "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea"),
    base: .optional,
    parameters: [
      .model("weight", "the model's share of direction and length"),
      .method("normalize_weights", "divide the weights by their sum", .flag, default: true),
      .method(
        "eps",
        "added to lengths before dividing by them, and the length of a sum that is taken as zero",
        default: 1e-8, in: 0...1),
    ],
    differences: """
      mergekit's walk on the sphere ends where it began, so the result is computed without it; directions \
      that cancel out leave the weighted sum of the models, where mergekit fails if there are more than two; \
      weights that sum to zero are an error if they are to be normalized
      """)

  private let offsets: Offsets
  private let weights: [Double]
  private let eps: Double
  private var coefficients: [Double]?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    eps = parameters.number("eps")
    let weights = offsets.inputs.map { parameters.number("weight", of: $0) ?? 0 }
    let sum = weights.reduce(0, +)
    let isNormalized = parameters.flag("normalize_weights")
    guard !isNormalized || sum != 0 || weights.count < 2 else {
      throw MethodFault(
        "the weights sum to zero and cannot be normalized", parameter: "weight",
        input: offsets.inputs[0])
    }
    self.weights = isNormalized ? weights.map { $0 / sum } : weights
  }

  package var copiedInput: Int? { offsets.count == 1 ? offsets.inputs[0] : nil }
  package var scratchCount: Int { offsets.scratchCount }

  package func survey() -> DotProducts? {
    coefficients == nil && offsets.count > 1 ? DotProducts(offsets) : nil
  }

  package mutating func learn(_ statistics: DotProducts) {
    let indices = weights.indices
    let directions = indices.map { weights[$0] / (statistics.norm($0) + eps) }
    var square = 0.0
    for first in indices {
      for second in indices {
        square += directions[first] * directions[second] * statistics[first, second]
      }
    }
    let length = indices.reduce(0) { $0 + weights[$1] * statistics.norm($1) }
    // Below 1e-7 the sum of unit vectors is made of rounding errors.
    let norm = max(0, square).squareRoot()
    let least = max(eps, 1e-7 * weights.reduce(0) { $0 + abs($1) })
    coefficients = norm < least ? weights : directions.map { $0 * length / norm }
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.combine(block, coefficients ?? [1])
  }
}
