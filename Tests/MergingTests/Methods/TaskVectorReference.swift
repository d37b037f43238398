// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The algebra of task vectors, written plainly.
struct TaskVectorReference {
  var weights: [Double]
  /// Makes the task vector of a model sparse.
  var sparsify: (Int, [Double]) -> [Double] = { $1 }
  var elects = false
  var counts = false
  var normalize = false
  var rescale = false
  var lambda = 1.0

  func merged(_ inputs: MethodTrial.Inputs) -> [Double] {
    let deltas = inputs.deltas.enumerated().map { index, delta in
      let sparse = sparsify(index, delta)
      let norms = (Self.l1(delta), Self.l1(sparse))
      let factor = rescale && norms.1 > 0 ? norms.0 / norms.1 : 1
      return sparse.map { weights[index] * factor * $0 }
    }
    var result = inputs.base
    for element in result.indices {
      let vote = elects ? self.vote(deltas, element) : 0
      var (sum, weight) = (0.0, 0.0)
      for (index, delta) in deltas.enumerated() {
        let term = delta[element]
        if elects, vote >= 0 ? term <= 0 : term >= 0 { continue }
        sum += term
        weight += weights[index]
      }
      result[element] += lambda * sum / (normalize && abs(weight) >= 1e-8 ? weight : 1)
    }
    return result
  }

  private func vote(_ deltas: [[Double]], _ element: Int) -> Double {
    var vote = 0.0
    for delta in deltas {
      let term = delta[element]
      vote += counts ? (term > 0 ? 1 : term < 0 ? -1 : 0) : term
    }
    return vote
  }

  private static func l1(_ x: [Double]) -> Double { x.reduce(0) { $0 + abs($1) } }

  /// Indices from the largest magnitude to the smallest, equal ones in order.
  static func ranked(_ x: [Double]) -> [Int] {
    x.indices.sorted { (-abs(x[$0]), $0) < (-abs(x[$1]), $1) }
  }

  static func keeping(_ indices: some Sequence<Int>, of x: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: x.count)
    for index in indices { result[index] = x[index] }
    return result
  }

  /// The share of the elements that are largest in magnitude.
  static func largest(_ density: Double, _ x: [Double]) -> [Double] {
    guard density < 1 else { return x }
    let count = density <= 0 ? 0 : max(1, Int(density * Double(x.count)))
    return keeping(ranked(x).prefix(count), of: x)
  }

  /// Without the largest and as many of the smallest as leave a share; of equal ones the first are kept.
  static func middle(_ density: Double, _ gamma: Double, _ x: [Double]) -> [Double] {
    guard density < 1 else { return x }
    let count = Int(density * Double(x.count))
    let top = min(Int(gamma * Double(x.count)), x.count - count)
    let order = x.map(abs).sorted(by: >)
    guard count > 0 else { return x.map { _ in 0 } }
    // Between the magnitudes of the largest and of the smallest that are kept, by value.
    let (highest, lowest) = (order[top], order[top + count - 1])
    let inside = x.indices.filter { abs(x[$0]) < highest && abs(x[$0]) > lowest }
    let atTop = x.indices.filter { abs(x[$0]) == highest }
    guard highest > lowest else { return keeping(atTop.prefix(count), of: x) }
    let topKept = order[top..<top + count].filter { $0 == highest }.count
    let atBottom = x.indices.filter { abs(x[$0]) == lowest }
    return keeping(
      inside + atTop.prefix(topKept) + atBottom.prefix(count - inside.count - topKept), of: x)
  }
}
