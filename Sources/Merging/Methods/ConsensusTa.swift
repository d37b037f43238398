// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Consensus task arithmetic: keeps elements that matter for several tasks.
package struct ConsensusTa: UnifyingMethod {
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
    base: .required, parameters: DepthScaling.parameters() + ConsensusMask.parameters,
    differences: MethodSpec.notInMergekit,
    deviations: """
      the authors choose `threshold` for each task, between 0.2 and 0.6, and \
      `lambda` with validation data, where here one threshold of 0.4 holds for all and nothing is scaled unless \
      you say so
      """)

  package let offsets: Offsets
  private let mask: ConsensusMask

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    mask = ConsensusMask(parameters, tensor)
  }

  package func unify<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, into block: Block<S>
  ) {
    withUnsafeTemporaryAllocation(of: S.self, capacity: offsets.count) { ones in
      ones.initialize(repeating: 1)
      guard let ones = ones.baseAddress else { return }
      S.combine(vectors, ones, inputCount: offsets.count, into: block.output, count: block.count)
    }
    mask.apply(to: block.output, vectors, vectorCount: offsets.count, count: block.count)
  }
}
