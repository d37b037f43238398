// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Merging
import Testing

@Suite("NuSLERP")
struct NuslerpTests {
  /// The arc between two vectors, by the angle between them.
  private func arc(_ a: [Double], _ b: [Double], _ t: Double) -> [Double] {
    func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    let length = (dot(a, a) * dot(b, b)).squareRoot()
    let angle = acos(length > 0 ? max(-1, min(1, dot(a, b) / length)) : 0)
    guard abs(sin(angle)) >= 1e-6 else { return zip(a, b).map { (1 - t) * $0 + t * $1 } }
    return zip(a, b).map { (sin((1 - t) * angle) * $0 + sin(t * angle) * $1) / sin(angle) }
  }

  /// The elements of each vector that a tensor is made of.
  private func vectors(_ inputs: MethodTrial.Inputs, _ mode: String) -> [[Int]] {
    guard inputs.shape.count > 1, mode != "tensor" else { return [Array(0..<inputs.count)] }
    if mode == "rows" {
      return stride(from: 0, to: inputs.count, by: inputs.rowLength).map {
        Array($0..<$0 + inputs.rowLength)
      }
    }
    let columns = inputs.count / inputs.shape[0]
    return (0..<columns).map { Array(stride(from: $0, to: inputs.count, by: columns)) }
  }

  @Test(
    "Every vector goes along its arc",
    arguments: [
      ("tensor", ""), ("rows", "nuslerp_flatten: false"),
      ("columns", "nuslerp_flatten: false, nuslerp_row_wise: true"),
    ], [false, true])
  func arcs(mode: (name: String, parameters: String), hasBase: Bool) throws {
    let trial = MethodTrial(
      method: "nuslerp", hasBase: hasBase, shared: mode.parameters,
      models: ["weight: 0.3", "weight: 0.9"])
    let tensors = AwkwardTensors.all(models: hasBase ? 3 : 2)
    try trial.expectSame(tensors, tolerance: 8e-6) { inputs in
      var result = hasBase ? inputs.base : [Double](repeating: 0, count: inputs.count)
      for vector in vectors(inputs, mode.name) {
        let point = arc(
          vector.map { inputs.deltas[0][$0] }, vector.map { inputs.deltas[1][$0] }, 0.75)
        for (index, value) in zip(vector, point) { result[index] += value }
      }
      return result
    }
  }

  @Test("Opposite vectors are interpolated on the line and stay finite")
  func opposite() throws {
    let values = (1...50).map { Double($0) / 64 }
    let tensor = MethodTrial.Tensor(name: "x", shape: [50], models: [values, values.map { -$0 }])
    let result = try MethodTrial(
      method: "nuslerp", hasBase: false, models: ["weight: 0.6", "weight: 0.4"]
    ).run([tensor])
    for (got, value) in zip(result["x"] ?? [], values) { #expect(abs(got - 0.2 * value) < 1e-6) }
  }

  @Test("Weights that sum to zero mean the middle of the arc")
  func zeroSum() throws {
    let tensors = [AwkwardTensors.random("x", [20, 30], models: 2)]
    func run(_ weights: [String]) throws -> [String: [Double]] {
      try MethodTrial(method: "nuslerp", hasBase: false, models: weights).run(tensors)
    }
    #expect(try run(["weight: 1", "weight: -1"]) == run(["weight: 1", "weight: 1"]))
  }
}
