// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// DELLA: drops small elements of task vectors at random, elects signs, and averages those who agree.
package struct Della: TaskVectorMethod {
  package static let spec = MethodSpec(
    id: "della", title: "DELLA",
    summary: """
      Drops elements of task vectors at random, the smaller in magnitude within its row the more likely: the \
      probability of keeping one rises with its rank from `density` − `epsilon` to `density` + `epsilon`. \
      What is left is rescaled to the original L1 norm, and the task vectors that have the elected sign are \
      averaged.
      """,
    paper: .init(
      "DELLA-Merging: Reducing Interference in Model Merging through Magnitude-Based Sampling",
      "https://arxiv.org/abs/2406.11617"),
    base: .required, parameters: parameters, isRandom: true,
    differences: """
      what is dropped depends only on the seed, the tensor's name, the model's place in the recipe and \
      the element's index; equal magnitudes share the mean of their ranks; rows lie along the last axis of \
      every tensor, and rows of one element are kept with probability `density` instead of failing
      """,
    deviations: """
      as in mergekit, `epsilon` is half the spread of the probabilities, where the paper's is the whole, and \
      what is kept is scaled back to the L1 norm of the tensor, where the paper divides each element by its \
      probability (`rescale: expectation`)
      """)

  package static let algebra = TaskVectors.Algebra(
    .ranked, consensus: .sum, normalize: true, rescale: .l1)
  package var vectors: TaskVectors
  package init(_ vectors: TaskVectors) { self.vectors = vectors }
}
