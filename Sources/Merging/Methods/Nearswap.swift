// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Nearswap: takes over the other model's elements where they are near the base's.
package struct Nearswap: MergeMethod {
  package static let spec = MethodSpec(
    id: "nearswap", title: "NearSwap",
    summary: """
      Moves elements of the base towards those of the other model where the two are near: all the way if they \
      differ by less than `t`, and by the share `t` ÷ difference beyond that. So no element moves by more \
      than `t`.
      """,
    base: .required, models: 1...1,
    parameters: [.method("t", "the distance that an element may move, in units of the weights")])

  private let base: Int
  private let other: Int
  private let t: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    guard let base = tensor.base, let other = tensor.others.first else {
      throw MethodFault("nearswap needs a base and one other model")
    }
    self.base = base
    self.other = other
    t = parameters.number("t")
  }

  package var copiedInput: Int? { t <= 0 ? base : nil }

  package func blend<S: Scalar>(_ block: Block<S>) {
    S.nearSwap(
      block[base], toward: block[other], t: S(t), into: block.output, count: block.count)
  }
}
