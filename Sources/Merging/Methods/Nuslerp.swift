// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Weights

/// Spherical interpolation between two models, or between their task vectors, whole or by rows or columns.
package struct Nuslerp: MergeMethod {
  package static let spec = MethodSpec(
    id: "nuslerp", title: "NuSLERP",
    summary: """
      Interpolates along the arc between two models, at the point that their weights give; with a base, \
      between their differences from it, which are then added to it. A tensor is one vector, or with \
      `nuslerp_flatten: false` each row of a matrix is one, or each column with `nuslerp_row_wise`. \
      Vectors that are parallel are interpolated on the straight line.
      """,
    paper: Slerp.spec.paper,
    base: .optional, models: 2...2,
    parameters: [
      .model("weight", "the model's share of the way; the two are divided by their sum"),
      .method("nuslerp_flatten", "take each tensor as one vector", .flag, default: true),
      .method(
        "nuslerp_row_wise",
        "without nuslerp_flatten: take vectors along the first axis, the columns of a matrix, "
          + "instead of along the last", .flag, default: false),
    ],
    differences: """
      vectors are measured in fp64 whatever the dtype, so that small angles count in bfloat16 too; short \
      vectors keep their direction, where mergekit blurs it below a length of 1e-7
      """)

  private enum Vectors {
    case tensor, rows
    case columns(Int)
  }

  private let offsets: Offsets
  private let t: Double
  private let vectors: Vectors
  /// Coefficients of the two models: one pair, or one for each column.
  private var shares: [(Double, Double)] = []

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    guard offsets.count == 2 else { throw MethodFault("nuslerp merges two models") }
    let weights = offsets.inputs.map { parameters.number("weight", of: $0) ?? 0 }
    let sum = weights[0] + weights[1]
    t = abs(sum) < 1e-6 ? 0.5 : weights[1] / sum
    let isMatrix = tensor.shape.count > 1 && tensor.elementCount > 0
    vectors =
      parameters.flag("nuslerp_flatten") || !isMatrix
      ? .tensor
      : parameters.flag("nuslerp_row_wise")
        ? .columns(tensor.elementCount / tensor.shape[0]) : .rows
  }

  package var granularity: Granularity { if case .rows = vectors { .rows } else { .elements } }
  package var scratchCount: Int { offsets.scratchCount }
  package var copiedInput: Int? {
    offsets.base != nil ? nil : t == 0 ? offsets.inputs[0] : t == 1 ? offsets.inputs[1] : nil
  }

  package func survey() -> ArcSurvey? {
    guard shares.isEmpty else { return nil }
    return switch vectors {
    case .tensor: ArcSurvey(offsets, columns: nil)
    case .rows: nil
    case .columns(let count): ArcSurvey(offsets, columns: count)
    }
  }

  package mutating func learn(_ statistics: ArcSurvey) { shares = statistics.arcs.map(shares(of:)) }

  /// The coefficients that give the point at t of the arc.
  private func shares(of arc: Arc) -> (Double, Double) {
    let length = (arc.first * arc.second).squareRoot()
    let cosine = length > 0 ? max(-1, min(1, arc.product / length)) : 0
    let angle = acos(cosine)
    // Too close to 0 or π for a direction of its own.
    guard abs(sin(angle)) >= 1e-6 else { return (1 - t, t) }
    return (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    switch vectors {
    case .tensor: combine(block, shares.first ?? (1 - t, t))
    case .rows:
      block.forEachRow { row in
        var dots = DotProducts(offsets)
        dots.observe(row)
        combine(row, shares(of: Arc(first: dots[0, 0], second: dots[1, 1], product: dots[0, 1])))
      }
    case .columns(let count): blend(block, columns: count)
    }
  }

  private func combine<S: Scalar>(_ block: Block<S>, _ share: (Double, Double)) {
    offsets.combine(block, [share.0, share.1])
  }

  private func blend<S: Scalar>(_ block: Block<S>, columns: Int) {
    offsets.load(block) { vector in
      Self.combine(
        vector[0], vector[1], shares, from: block.offset % columns, into: block.output,
        count: block.count)
    }
    offsets.addBase(block)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func combine<S: Scalar>(
    _ first: UnsafePointer<S>, _ second: UnsafePointer<S>, _ shares: [(Double, Double)],
    from start: Int, into out: UnsafeMutablePointer<S>, count: Int
  ) {
    var column = start
    for index in 0..<count {
      out[index] = S(shares[column].0) * first[index] + S(shares[column].1) * second[index]
      column = column + 1 == shares.count ? 0 : column + 1
    }
  }
}

/// The squared lengths of two vectors and their dot product.
package struct Arc: Hashable, Sendable {
  var first = 0.0
  var second = 0.0
  var product = 0.0
}

/// What lies between two models: of the whole tensor, or of each column.
package struct ArcSurvey: Survey {
  private let offsets: Offsets
  private let columns: Int?
  private(set) var arcs: [Arc]

  init(_ offsets: Offsets, columns: Int?) {
    self.offsets = offsets
    self.columns = columns
    arcs = Array(repeating: Arc(), count: columns ?? 1)
  }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    offsets.load(block) { vector in
      if let columns {
        Self.add(
          vector[0], vector[1], from: block.offset % columns, count: block.count, to: &arcs)
      } else {
        arcs[0].first += S.dot(vector[0], vector[0], count: block.count)
        arcs[0].second += S.dot(vector[1], vector[1], count: block.count)
        arcs[0].product += S.dot(vector[0], vector[1], count: block.count)
      }
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func add<S: Scalar>(
    _ first: UnsafePointer<S>, _ second: UnsafePointer<S>, from start: Int, count: Int,
    to arcs: inout [Arc]
  ) {
    var column = start
    for index in 0..<count {
      let (x, y) = (Double(first[index]), Double(second[index]))
      arcs[column].first += x * x
      arcs[column].second += y * y
      arcs[column].product += x * y
      column = column + 1 == arcs.count ? 0 : column + 1
    }
  }

  package mutating func append(_ next: ArcSurvey) {
    for index in arcs.indices {
      arcs[index].first += next.arcs[index].first
      arcs[index].second += next.arcs[index].second
      arcs[index].product += next.arcs[index].product
    }
  }
}
