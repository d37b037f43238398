// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Consensus TIES: keeps the elements of the TIES merge that matter for several tasks.
package struct ConsensusTies: MergeMethod {
  package static let spec = MethodSpec(
    id: "consensus_ties", title: "Consensus TIES",
    summary: """
      Merges the task vectors as TIES does: keeps the share `density` of each that is largest in magnitude, and \
      adds up those that have the elected sign. Of the result the elements stay that matter for at least `k` \
      tasks: those where the whole task vector is larger than `threshold` times its distance to the merged one. \
      The rest stays that of the base.
      """,
    paper: .init(
      "Localizing Task Information for Improved Model Merging and Compression",
      "https://arxiv.org/abs/2405.07813"),
    base: .required,
    parameters: [
      .model("density", "the share of the task vector that is merged", default: 0.2, in: 0...1),
      .scope("of what `density` is a share: of each tensor, of all of a layer, or of the model"),
    ] + DepthScaling.parameters() + ConsensusMask.parameters,
    differences: MethodSpec.notInMergekit,
    deviations: """
      the authors trim over the whole model at once, which is `scope: model`, and choose `threshold` \
      for each task and `lambda` with validation data
      """)

  private var trimmed: TaskVectors
  private let offsets: Offsets
  private let mask: ConsensusMask

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    // The mask compares with the merged task vector as it is before it is scaled.
    var plain = parameters
    plain.shared.merge(["lambda": 1.0, "lines_alpha": 1.0, "lines_beta": 0.0]) { $1 }
    trimmed = try TaskVectors(.init(.magnitude, consensus: .sum), plain, tensor)
    offsets = Offsets(tensor)
    mask = ConsensusMask(parameters, tensor)
  }

  package var copiedInput: Int? { trimmed.copiedInput }
  package var scratchCount: Int { trimmed.scratchCount }
  package var granularity: Granularity { trimmed.granularity }
  package func survey() -> TaskVectorSurvey? { TaskVectorSurvey(trimmed) }
  package mutating func learn(_ statistics: TaskVectorSurvey) { statistics.teach(&trimmed) }

  package func blend<S: Scalar>(_ block: Block<S>) {
    trimmed.merge(block)
    offsets.load(block) { vectors in
      mask.apply(to: block.output, vectors, vectorCount: offsets.count, count: block.count)
    }
    offsets.addBase(block)
  }
}
