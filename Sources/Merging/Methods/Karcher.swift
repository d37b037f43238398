// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Weights

/// The Karcher mean: the point on the sphere that is nearest to all models.
package struct Karcher: MergeMethod {
  package static let spec = MethodSpec(
    id: "karcher", title: "Karcher mean",
    summary: """
      Finds the direction for which the sum of the squared angles to all models is least, each tensor taken \
      as one vector, and gives it their mean length. Unlike `slerp` it takes any number of models, and \
      unlike an average it does not shrink them. All models count the same.
      """,
    paper: .init(
      "Functionality-Oriented LLM Merging on the Fisher–Rao Manifold",
      "https://arxiv.org/abs/2603.04972"),
    base: .ordinary,
    parameters: [
      .method("max_iter", "the most steps towards the mean", .integer, default: 10),
      .method("tol", "the angle, in radians, below which a step ends the search", default: 1e-5),
    ],
    differences: """
      angles are computed in fp64 from the dot products of the models, so that the search is not cut short \
      by rounding in bfloat16; tensors of any scale have a direction, where mergekit takes those shorter \
      than `tol` as zero; the base model is merged only if it is listed
      """)

  private let offsets: Offsets
  private let maximumStepCount: Int
  private let tolerance: Double
  private var coefficients: [Double]?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(Array(tensor.models.indices))
    maximumStepCount = parameters.integer("max_iter")
    tolerance = parameters.number("tol")
  }

  package var copiedInput: Int? { offsets.count == 1 ? 0 : nil }

  package func survey() -> DotProducts? {
    coefficients == nil && offsets.count > 1 ? DotProducts(offsets) : nil
  }

  /// Searches in the space that the models span: every point is a combination of them, and all that is needed
  /// of them are the cosines between them.
  package mutating func learn(_ statistics: DotProducts) {
    let count = offsets.count
    let norms = (0..<count).map { statistics.norm($0) }
    let length = norms.reduce(0, +) / Double(count)
    let kept = (0..<count).filter { norms[$0] > 0 }
    let cosines = kept.map { row in kept.map { row == $0 ? 1 : statistics.cosine(row, $0) } }
    let mean = Self.mean(cosines, tolerance, maximumStepCount)
    var coefficients = [Double](repeating: 0, count: count)
    for (index, place) in kept.enumerated() {
      coefficients[place] = mean[index] * length / norms[place]
    }
    self.coefficients = coefficients
  }

  /// The mean of unit vectors with the given cosines, as coefficients of them.
  private static func mean(_ cosines: [[Double]], _ tolerance: Double, _ maximumStepCount: Int)
    -> [Double]
  {
    let count = cosines.count
    guard count > 0 else { return [] }
    let share = 1 / Double(count)
    func products(_ x: [Double]) -> [Double] {
      cosines.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    func norm(_ x: [Double]) -> Double {
      max(0, zip(x, products(x)).reduce(0) { $0 + $1.0 * $1.1 }).squareRoot()
    }
    var point = [Double](repeating: share, count: count)
    let length = norm(point)
    if length < tolerance {
      point = point.indices.map { $0 == 0 ? 1 : 0 }
    } else {
      point = point.map { $0 / length }
    }
    for _ in 0..<max(0, maximumStepCount) {
      let inner = products(point).map { max(-1, min(1, $0)) }
      var tangent = [Double](repeating: 0, count: count)
      var backward = 0.0
      for index in 0..<count {
        let angle = acos(inner[index])
        // The opposite point has no direction towards it.
        guard angle >= tolerance, sin(angle) > 1e-12 else { continue }
        let pull = share * angle / sin(angle)
        tangent[index] += pull
        backward += pull * inner[index]
      }
      for index in 0..<count { tangent[index] -= backward * point[index] }
      let step = norm(tangent)
      guard step >= tolerance, step > 0 else { break }
      point = zip(point, tangent).map { cos(step) * $0 + sin(step) / step * $1 }
      let drift = norm(point)
      guard drift > 0 else { break }
      point = point.map { $0 / drift }
    }
    return point
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.combine(block, coefficients ?? [1])
  }
}
