// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// DELLA without the election of signs.
package struct DellaLinear: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "della_linear", title: "Linear DELLA",
    summary: """
      Drops elements of task vectors at random, the smaller in magnitude within its row the more likely: the \
      probability of keeping one rises with its rank from `density` − `epsilon` to `density` + `epsilon`. \
      What is left is rescaled to the original L1 norm, and the weighted sum is added to the base.
      """,
    paper: .init(
      "DELLA-Merging: Reducing Interference in Model Merging through Magnitude-Based Sampling",
      "https://arxiv.org/abs/2406.11617"),
    base: .required, parameters: parameters, isRandom: true,
    differences: Della.spec.differences,
    deviations: Della.spec.deviations)

  package static let algebra = TaskVectors.Algebra(.ranked, rescale: .l1)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
