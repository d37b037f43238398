// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The statistics that sparsification needs: bounds of magnitudes, then L1 norms.
package struct TaskVectorSurvey: Survey {
  private let vectors: TaskVectors
  private var magnitudes: MagnitudeSurvey<TaskVectors>?
  /// For each task vector its L1 norm before and after sparsification.
  private var norms: [(all: Double, kept: Double)]

  /// What `vectors` has to know next; nil if nothing.
  init?(_ vectors: TaskVectors) {
    self.vectors = vectors
    magnitudes = MagnitudeSurvey(vectors, vectors.bounds)
    norms = vectors.vectors.map { _ in (0, 0) }
    if magnitudes == nil, vectors.isRescaled { return nil }
  }

  package var isOrderFree: Bool { magnitudes?.isOrderFree ?? false }

  package var sample: BlockSample? { magnitudes?.sample }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    guard magnitudes == nil else {
      magnitudes?.observe(block)
      return
    }
    for index in norms.indices {
      let delta = vectors.values(index, of: block)
      norms[index].all += S.sumOfMagnitudes(delta, count: block.count)
      vectors.sparsify(index, block)
      norms[index].kept += S.sumOfMagnitudes(delta, count: block.count)
    }
  }

  package mutating func append(_ next: TaskVectorSurvey) {
    if let theirs = next.magnitudes { magnitudes?.append(theirs) }
    for index in norms.indices {
      norms[index].all += next.norms[index].all
      norms[index].kept += next.norms[index].kept
    }
  }

  /// Hands the findings to the task vectors that wait for them.
  func teach(_ vectors: inout TaskVectors) {
    if let magnitudes { vectors.learn(magnitudes) } else { vectors.learn(norms: norms) }
  }
}
