// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// EMR: elects signs and takes the largest element that agrees; the unified task vector of EMR-Merging.
package struct Emr: UnifyingMethod {
  package static let spec = MethodSpec(
    id: "emr", title: "EMR (unified)",
    summary: """
      For every element the sign of the sum of all task vectors is elected, and the largest element that has \
      it is taken. This is the unified task vector of EMR-Merging, scaled by `lambda` and added to the base; \
      where the task vectors add up to zero the sign is negative, as in the authors' code.
      """,
    paper: .init(
      "EMR-Merging: Tuning-Free High-Performance Model Merging",
      "https://arxiv.org/abs/2405.17461"),
    base: .required, parameters: DepthScaling.parameters("factor of the unified task vector"),
    differences: MethodSpec.notInMergekit,
    deviations: """
      the paper keeps a mask and a rescaler for each task beside the unified \
      task vector and applies one of them at run time, which one merged model cannot
      """)

  package let offsets: Offsets
  private let lambda: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    lambda = parameters.scale(tensor)
  }

  package func unify<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, into block: Block<S>
  ) {
    Self.merge(vectors, offsets.count, lambda: S(lambda), into: block.output, block.count)
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
