// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Consensus task arithmetic: keeps elements that matter for several tasks.
package struct ConsensusTa: MergeMethod {
  package static let spec = MethodSpec(
    id: "consensus_ta", title: "Consensus Task Arithmetic",
    summary: """
      Adds up the task vectors and keeps the elements of the sum that matter for at least `k` of them: those \
      where the task vector is larger than `threshold` times what the others add to it. Elements that serve \
      one task alone, or none, stay those of the base.
      """,
    paper: .init(
      "Localizing Task Information for Improved Model Merging and Compression",
      "https://arxiv.org/abs/2405.07813"),
    base: .required,
    parameters: [
      .method("lambda", "factor of the sum before it is added to the base", default: 1.0),
      .method(
        "threshold",
        "how large an element must be, as a share of the others' sum, to matter for a task",
        default: 0.4),
      .method("k", "for how many tasks an element must matter", .integer, default: 2),
    ],
    differences: "mergekit does not have this method")

  private let offsets: Offsets
  private let lambda: Double
  private let threshold: Double
  private let leastCount: Int

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    lambda = parameters.number("lambda")
    threshold = parameters.number("threshold")
    leastCount = parameters.integer("k")
  }

  package var copiedInput: Int? { offsets.count == 0 ? offsets.base : nil }
  package var scratchCount: Int { offsets.scratchCount }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.load(block) { vectors in
      Self.merge(
        vectors, offsets.count, lambda: S(lambda), threshold: S(threshold), leastCount,
        into: block.output, block.count)
    }
    offsets.addBase(block)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func merge<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, _ vectorCount: Int, lambda: S, threshold: S,
    _ leastCount: Int,
    into out: UnsafeMutablePointer<S>, _ count: Int
  ) {
    for index in 0..<count {
      var sum = S.zero
      for vector in 0..<vectorCount { sum += vectors[vector][index] }
      var taskCount = 0
      for vector in 0..<vectorCount {
        let value = vectors[vector][index]
        if value.magnitude > threshold * (sum - value).magnitude { taskCount += 1 }
      }
      out[index] = taskCount >= leastCount || sum.isNaN ? lambda * sum : 0
    }
  }
}
