// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Task arithmetic: adds weighted task vectors to the base.
package struct TaskArithmetic: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "task_arithmetic", title: "Task Arithmetic",
    summary: """
      Takes each model's difference from the base, its task vector, and adds their weighted sum to the \
      base. Negative weights make the result forget a task.
      """,
    paper: .init(
      "Editing Models with Task Arithmetic", "https://arxiv.org/abs/2212.04089"),
    base: .required, parameters: parameters)

  package static let algebra = TaskVectors.Algebra()
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
