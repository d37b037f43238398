// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// EMR: elects signs and takes the largest element that agrees; the unified task vector of EMR-Merging.
package struct Emr: MergeMethod {
  package static let spec = MethodSpec(
    id: "emr", title: "EMR (unified)",
    summary: """
      For every element the sign of the sum of all task vectors is elected, and the largest element that has \
      it is taken. This is the unified task vector of EMR-Merging, scaled by `lambda` and added to the base; \
      the masks and rescalers that the paper keeps for each task beside it are not made.
      """,
    paper: .init(
      "EMR-Merging: Tuning-Free High-Performance Model Merging",
      "https://arxiv.org/abs/2405.17461"),
    base: .required,
    parameters: [
      .method("lambda", "factor of the unified task vector", default: 1.0)
    ],
    differences: "mergekit does not have this method")

  private let offsets: Offsets
  private let lambda: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    lambda = parameters.number("lambda")
  }

  package var copiedInput: Int? { offsets.count == 0 ? offsets.base : nil }
  package var scratchCount: Int { offsets.scratchCount }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.load(block) { vectors in
      Self.merge(vectors, offsets.count, lambda: S(lambda), into: block.output, block.count)
    }
    offsets.addBase(block)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func merge<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, _ vectorCount: Int, lambda: S,
    into out: UnsafeMutablePointer<S>, _ count: Int
  ) {
    for index in 0..<count {
      var (sum, most, least) = (S.zero, S.zero, S.zero)
      for vector in 0..<vectorCount {
        let value = vectors[vector][index]
        sum += value
        if value > most { most = value }
        if value < least { least = value }
      }
      out[index] = lambda * (sum > 0 ? most : sum.isNaN ? sum : least)
    }
  }
}
