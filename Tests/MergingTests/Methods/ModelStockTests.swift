// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Model Stock")
struct ModelStockTests {
  private func point(_ base: [Double], _ deltas: [[Double]], floor: Double) -> [Double] {
    func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    var cosines: [Double] = []
    for first in deltas.indices {
      for second in deltas.indices where second > first {
        let (a, b) = (deltas[first], deltas[second])
        let scale = max(floor, (dot(a, a) * dot(b, b)).squareRoot())
        cosines.append(scale > 0 ? max(-1, min(1, dot(a, b) / scale)) : 0)
      }
    }
    let count = Double(deltas.count)
    let cosine = cosines.reduce(0, +) / Double(cosines.count)
    let divisor = 1 + (count - 1) * cosine
    let share = divisor < 1e-6 ? 0 : count * cosine / divisor
    return base.indices.map { index in
      base[index] + share * deltas.reduce(0) { $0 + $1[index] } / count
    }
  }

  @Test("The base moves towards the mean as far as the models agree", arguments: [1e-6, 0])
  func tensors(floor: Double) throws {
    let trial = MethodTrial(
      method: "model_stock", hasBase: true, shared: "floor: \(floor)", models: ["", "", ""])
    try trial.expectSame { point($0.base, $0.deltas, floor: floor) }
  }

  @Test("Rows move one by one with filter_wise")
  func rows() throws {
    let trial = MethodTrial(
      method: "model_stock", hasBase: true, shared: "filter_wise: true", models: ["", ""])
    try trial.expectSame { inputs in
      stride(from: 0, to: inputs.count, by: inputs.rowLength).flatMap { start in
        let row = start..<start + inputs.rowLength
        return point(
          Array(inputs.base[row]), inputs.deltas.map { Array($0[row]) }, floor: 1e-6)
      }
    }
  }

  @Test("Models that point away from each other leave the base")
  func opposite() throws {
    let base = (1...20).map { Double($0) }
    let models = [base, base.map { $0 + 1 }, base.map { $0 - 1 }]
    let result = try MethodTrial(method: "model_stock", hasBase: true, models: ["", ""])
      .run([.init(name: "x", shape: [20], models: models)])
    #expect(result["x"] == base)
  }

  @Test("One model beside the base is too few")
  func single() {
    let trial = MethodTrial(method: "model_stock", hasBase: true, models: [""])
    #expect(throws: RecipeError.self) { try trial.run(AwkwardTensors.all(models: 2)) }
  }
}
