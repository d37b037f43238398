// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Linear DELLA")
struct DellaLinearTests {
  @Test("Divided by their probabilities, kept elements give the task vector on average")
  func unbiased() throws {
    let (rows, columns) = (4000, 50)
    let row = (1...columns).map { Double($0) / 64 }
    let values = (0..<rows).flatMap { _ in row }
    let trial = MethodTrial(
      method: "della_linear", hasBase: true, shared: "rescale: expectation",
      models: ["weight: 1, density: 0.5, epsilon: 0.3"])
    let tensor = MethodTrial.Tensor(
      name: "x", shape: [rows, columns], models: [values.map { _ in 0 }, values])
    let result = try #require(try trial.run([tensor])["x"])
    for (column, value) in row.enumerated() {
      let probability = 0.2 + 0.6 * Double(column) / Double(columns - 1)
      let all = stride(from: column, to: result.count, by: columns).map { result[$0] }
      #expect(all.allSatisfy { $0 == 0 || abs($0 - value / probability) < 1e-5 })
      Lots.expect(all.map { $0 != 0 }, probability)
    }
  }

  @Test("Nothing is drawn at density 0 and at density 1")
  func extremes() throws {
    let trial = MethodTrial(
      method: "della_linear", hasBase: true, shared: "lambda: 0.75",
      models: ["weight: 0.5, density: 1", "weight: 2, density: 0", "weight: -1, density: 1"])
    try trial.expectSame { TaskVectorReference(weights: [0.5, 0, -1], lambda: 0.75).merged($0) }
  }

  @Test("The L1 norm is restored")
  func rescale() throws {
    let tensor = AwkwardTensors.random("x", [90, 750], models: 2)
    let trial = MethodTrial(
      method: "della_linear", hasBase: true, models: ["weight: 1, density: 0.4"])
    let result = try #require(try trial.run([tensor])["x"])
    func norm(_ x: [Double]) -> Double {
      zip(x, tensor.models[0]).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
    #expect(abs(norm(result) / norm(tensor.models[1]) - 1) < 1e-5)
  }
}
