// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// DARE with the sign election of TIES.
package struct DareTies: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "dare_ties", title: "DARE TIES",
    summary: """
      Keeps each element of a task vector with probability `density`, rescales what is left to the \
      original L1 norm, and adds up only the task vectors that have the elected sign.
      """,
    paper: .init(
      "Language Models are Super Mario: Absorbing Abilities from Homologous Models as a Free Lunch",
      "https://arxiv.org/abs/2311.03099"),
    base: .required, parameters: parameters, isRandom: true,
    differences: DareLinear.spec.differences,
    deviations: """
      as in mergekit, what is kept is scaled back to the L1 norm of the tensor, where the paper divides it by the \
      density (`rescale: expectation`); a tied vote of signs is positive
      """)

  package static let algebra = TaskVectors.Algebra(.random, consensus: .sum, rescale: .l1)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
