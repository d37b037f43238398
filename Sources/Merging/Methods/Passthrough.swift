// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The tensors of one model, unchanged.
package struct Passthrough: MergeMethod {
  package static let spec = MethodSpec(
    id: "passthrough", title: "Passthrough",
    summary: """
      Takes the tensors of one model as they are, or multiplied by `scale`. With `slices` it stacks \
      layers of several models into a new one, a so-called frankenmerge.
      """,
    base: .ordinary, models: 1...1,
    parameters: [.model("scale", "factor for the tensor", optional: true)])

  private let scale: Double?

  /// The tensor as it is.
  init() { scale = nil }

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    scale = parameters.number("scale", of: 0)
  }

  package var copiedInput: Int? { scale == nil || scale == 1 ? 0 : nil }

  package func blend<S: Scalar>(_ block: Block<S>) {
    S.scale(block[0], by: S(scale ?? 1), into: block.output, count: block.count)
  }
}
