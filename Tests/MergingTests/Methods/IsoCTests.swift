// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Iso-C")
struct IsoCTests {
  @Test("The sum's singular values become their mean", arguments: [1.0, 0.6])
  func rule(lambda: Double) throws {
    let trial = MethodTrial(
      method: "iso_c", hasBase: true, shared: "lambda: \(lambda)", models: ["", "", ""])
    try trial.expectSame(AwkwardTensors.matrices(models: 4), slack: 1e-15) { inputs in
      inputs.spectral(on: inputs.base, inputs.exactDeltas, average: lambda / 3) { deltas in
        (deltas[0] + deltas[1] + deltas[2]).replacingValues { values in
          values.map { _ in lambda * values.reduce(0, +) / Double(values.count) }
        }
      }
    }
  }

  @Test("One task vector of rank one keeps its singular value: nothing else is raised")
  func lowRank() throws {
    var tensor = AwkwardTensors.random("x", [20, 30], models: 2)
    tensor.models[0] = tensor.models[0].map { _ in 0 }
    tensor.models[1] = AwkwardTensors.rankOne(rows: 20, columns: 30)
    let result = try MethodTrial(method: "iso_c", hasBase: true, models: [""]).run([tensor])
    for (got, want) in zip(try #require(result["x"]), tensor.models[1]) {
      #expect(abs(got - want) < 1e-6)
    }
  }
}
