// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("MagMax")
struct MagmaxTests {
  @Test("The largest change is taken, of equals the last")
  func rule() throws {
    let trial = MethodTrial(method: "magmax", hasBase: true, models: ["", "", ""])
    try trial.expectSame { inputs in
      inputs.base.indices.map { index in
        let values = inputs.deltas.map { $0[index] }
        let most = values.map(abs).max() ?? 0
        return inputs.base[index] + 0.5 * (values.last { abs($0) == most } ?? 0)
      }
    }
  }

  @Test("A NaN stays where it is, whichever model has it", arguments: [1, 2])
  func notANumber(model: Int) throws {
    var tensor = AwkwardTensors.random("x", [20], models: 3)
    tensor.models[model][4] = .nan
    let result = try #require(
      try MethodTrial(method: "magmax", hasBase: true, models: ["", ""]).run([tensor])["x"])
    #expect(result.indices.filter { result[$0].isNaN } == [4])
  }
}
