// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Model breadcrumbs: drops the largest and the smallest elements of task vectors.
package struct Breadcrumbs: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "breadcrumbs", title: "Model Breadcrumbs",
    summary: """
      Drops from each task vector both tails: the share `gamma` of its elements that are largest in \
      magnitude, and as many of the smallest as leave the share `density`. The weighted sum of what remains \
      is added to the base.
      """,
    paper: .init(
      "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks",
      "https://arxiv.org/abs/2312.06795"),
    base: .required, parameters: parameters,
    differences: """
      of elements that are equal in magnitude at a threshold those with the lower index are kept, where \
      mergekit's choice depends on the processor
      """)

  package static let algebra = TaskVectors.Algebra(.outliers)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
