// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Linear")
struct LinearTests {
  @Test("The result is the weighted mean")
  func mean() throws {
    let trial = MethodTrial(
      method: "linear", hasBase: false, models: ["weight: 0.3", "weight: 0.5", "weight: -0.1"])
    try trial.expectSame { inputs in
      inputs.models[0].indices.map { index in
        (0.3 * inputs.models[0][index] + 0.5 * inputs.models[1][index]
          - 0.1 * inputs.models[2][index]) / 0.7
      }
    }
  }

  @Test("Weights that sum to zero are refused before anything is read")
  func zeroSum() {
    let trial = MethodTrial(method: "linear", hasBase: false, models: ["weight: 1", "weight: -1"])
    #expect(throws: RecipeError.self) { try trial.run(AwkwardTensors.all(models: 2)) }
  }
}
