// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// ExPO: goes on from a fine-tuned model in the direction that led to it.
package struct Expo: MergeMethod {
  package static let spec = MethodSpec(
    id: "expo", title: "ExPO",
    summary: """
      Extrapolates: moves on from the model by `alpha` times its difference from the base. Made for a base \
      that was fine-tuned and a model that was then aligned with preferences, to strengthen the alignment \
      without training.
      """,
    paper: .init(
      "Model Extrapolation Expedites Alignment", "https://arxiv.org/abs/2404.16792"),
    base: .required, models: 1...1,
    parameters: [
      .method(
        "alpha", "how far to go beyond the model, as a share of the way from the base", default: 0.3
      )
    ],
    differences:
      "mergekit does not have this method; task_arithmetic with weight 1 + alpha is the same",
    deviations: "the authors choose `alpha` for each model, and call 0.3 and 0.5 usually good")

  private let offsets: Offsets
  private let alpha: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    alpha = parameters.number("alpha")
  }

  package var copiedInput: Int? { alpha == 0 ? offsets.inputs.first : nil }
  package var scratchCount: Int { offsets.scratchCount }
  package func blend<S: Scalar>(_ block: Block<S>) { offsets.combine(block, [1 + alpha]) }
}
