// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// TIES: trims task vectors, elects one sign per element, and averages those who agree.
package struct Ties: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "ties", title: "TIES",
    summary: """
      Keeps of each task vector only the share `density` of its elements that are largest in magnitude, \
      elects for every element the sign of the weighted sum, and averages only the task vectors that \
      have this sign, so that models do not cancel each other out.
      """,
    paper: .init(
      "TIES-Merging: Resolving Interference When Merging Models",
      "https://arxiv.org/abs/2306.01708"),
    base: .required, parameters: parameters,
    differences: """
      of elements that are equal in magnitude at the threshold those with the lower index are kept, \
      where mergekit's choice depends on the processor
      """,
    deviations: """
      as in mergekit, each tensor is trimmed by itself unless `scope: model`, the vote is of weighted task vectors, an average is \
      divided by the weights that agree rather than by their number, and a tied vote is positive
      """)

  package static let algebra = TaskVectors.Algebra(.magnitude, consensus: .sum, normalize: true)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
