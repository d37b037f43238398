// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// MagMax: takes each element from the task vector in which it is largest.
package struct Magmax: UnifyingMethod {
  package static let spec = MethodSpec(
    id: "magmax", title: "MagMax",
    summary: """
      For every element the task vector counts in which it is largest in magnitude, and no other; of equals \
      the one that is listed last. The result is scaled by `lambda` and added to the base. Made for models \
      that were fine-tuned one after the other.
      """,
    paper: .init(
      "MagMax: Leveraging Model Merging for Seamless Continual Learning",
      "https://arxiv.org/abs/2407.06322"),
    base: .required, parameters: DepthScaling.parameters(default: 0.5),
    differences: MethodSpec.notInMergekit,
    deviations: """
      the authors search `lambda` between 0 and 1 with validation data
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
      var largest = vectors[0][index]
      for vector in 1..<max(1, vectorCount) {
        let value = vectors[vector][index]
        // Written so that a NaN is taken and kept.
        if !largest.isNaN, !(value.magnitude < largest.magnitude) { largest = value }
      }
      out[index] = lambda * largest
    }
  }
}
