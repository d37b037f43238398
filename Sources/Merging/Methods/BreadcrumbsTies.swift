// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Model breadcrumbs with the sign election of TIES.
package struct BreadcrumbsTies: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "breadcrumbs_ties", title: "Model Breadcrumbs with TIES",
    summary: """
      Drops from each task vector both tails: the share `gamma` of its elements that are largest in \
      magnitude, and as many of the smallest as leave the share `density`. For every element the sign of the \
      weighted sum is elected, and only the task vectors that have it are added up.
      """,
    paper: .init(
      "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks",
      "https://arxiv.org/abs/2312.06795"),
    base: .required, parameters: parameters,
    differences: Breadcrumbs.spec.differences)

  package static let algebra = TaskVectors.Algebra(.outliers, consensus: .sum)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
