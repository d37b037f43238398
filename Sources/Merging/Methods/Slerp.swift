// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Weights

/// Spherical interpolation between two models.
package struct Slerp: MergeMethod {
  package static let spec = MethodSpec(
    id: "slerp", title: "SLERP",
    summary: """
      Moves from the base (`t` 0) to the other model (`t` 1) along the arc between them instead of the \
      straight line, each tensor taken as one vector. Vectors that are nearly parallel (|cos| above \
      0.9995) are interpolated on the line, since there the two are the same.
      """,
    paper: .init(
      "Animating rotation with quaternion curves", "https://dl.acm.org/doi/10.1145/325334.325242"),
    base: .required, models: 1...1,
    parameters: [.method("t", "the way from the base (0) to the other model (1)")])

  private let base: Int
  private let other: Int
  private let t: Double
  private var coefficients: [Double]?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    guard let base = tensor.base, let other = tensor.others.first else {
      throw MethodFault("slerp needs a base and one other model")
    }
    self.base = base
    self.other = other
    t = parameters.number("t")
  }

  package var copiedInput: Int? { t == 0 ? base : t == 1 ? other : nil }

  package func survey() -> DotProducts? {
    coefficients == nil ? DotProducts(Offsets([base, other])) : nil
  }

  package mutating func learn(_ statistics: DotProducts) {
    let norms = (statistics.norm(0), statistics.norm(1))
    // A vector of (almost) no length has no direction; it is then taken as it is.
    let scale = (norms.0 > 1e-8 ? norms.0 : 1) * (norms.1 > 1e-8 ? norms.1 : 1)
    let cosine = max(-1, min(1, statistics[0, 1] / scale))
    var shares = (1 - t, t)
    if abs(cosine) <= 0.9995 {
      let angle = acos(cosine)
      shares = (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
    }
    var coefficients = [0.0, 0.0]
    coefficients[base] = shares.0
    coefficients[other] = shares.1
    self.coefficients = coefficients
  }

  package func blend<S: Scalar>(_ block: Block<S>) { block.combine(coefficients ?? [1, 0]) }
}
