// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The weighted average of the models.
package struct Linear: MergeMethod {
  package static let spec = MethodSpec(
    id: "linear", title: "Linear",
    summary: """
      Averages the models element by element, each with its weight. With `normalize` the weights are \
      divided by their sum, so that only their proportions matter.
      """,
    paper: .init(
      "Model soups: averaging weights of multiple fine-tuned models improves accuracy without "
        + "increasing inference time", "https://arxiv.org/abs/2203.05482"),
    base: .ordinary,
    parameters: [
      .model("weight", "the model's share"),
      .method("normalize", "divide the weights by their sum", .flag, default: true),
    ],
    differences: "weights that sum to zero are an error instead of a model full of NaN")

  private let coefficients: [Double]

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    var weights = tensor.models.indices.map { parameters.number("weight", of: $0) ?? 0 }
    if parameters.flag("normalize") {
      let sum = weights.reduce(0, +)
      guard sum != 0 else {
        throw MethodFault(
          "the weights sum to zero and cannot be normalized", parameter: "weight", input: 0)
      }
      weights = weights.map { $0 / sum }
    }
    coefficients = weights
  }

  package func blend<S: Scalar>(_ block: Block<S>) { block.combine(coefficients) }
}

extension Block {
  /// Writes the sum of the inputs, each times its coefficient.
  func combine(_ coefficients: [Double]) {
    withUnsafeTemporaryAllocation(of: S.self, capacity: inputCount) { factors in
      for index in 0..<inputCount { factors[index] = S(coefficients[index]) }
      guard let start = factors.baseAddress else { return }
      S.combine(inputs, start, inputCount: inputCount, into: output, count: count)
    }
  }
}
