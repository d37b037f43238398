// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// DARE: drops elements of task vectors at random, rescales the rest, and adds them up.
package struct DareLinear: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "dare_linear", title: "Linear DARE",
    summary: """
      Keeps each element of a task vector with probability `density`, rescales what is left to the \
      original L1 norm, and adds the weighted sum to the base.
      """,
    paper: .init(
      "Language Models are Super Mario: Absorbing Abilities from Homologous Models as a Free Lunch",
      "https://arxiv.org/abs/2311.03099"),
    base: .required, parameters: parameters, isRandom: true,
    differences: """
      what is dropped depends only on the seed, the tensor's name, the model's place in the recipe and \
      the element's index, so that a seed gives the same model on every machine
      """,
    deviations: """
      as in mergekit, what is kept is scaled back to the L1 norm of the tensor; the paper divides it by the \
      density, which is `rescale: expectation`
      """)

  package static let algebra = TaskVectors.Algebra(.random, rescale: .l1)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
