// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing
import Weights

@Suite("Task arithmetic")
struct TaskArithmeticTests {
  @Test("Weighted task vectors are added to the base", arguments: [false, true])
  func sum(normalize: Bool) throws {
    let trial = MethodTrial(
      method: "task_arithmetic", hasBase: true, shared: "lambda: 0.8, normalize: \(normalize)",
      models: ["weight: 0.5", "weight: 0.7", "weight: -0.2"])
    try trial.expectSame {
      TaskVectorReference(weights: [0.5, 0.7, -0.2], normalize: normalize, lambda: 0.8).merged($0)
    }
  }

  @Test("Numbers stored in fp64 are merged in fp64")
  func double() throws {
    let trial = MethodTrial(
      method: "task_arithmetic", hasBase: true, models: ["weight: 0.1"], dtype: .f64)
    let tensor = MethodTrial.Tensor(
      name: "x", shape: [3], models: [[1, 2, 3], [1 + 1e-12, 2 - 1e-12, 3]])
    let result = try trial.run([tensor])["x"] ?? []
    for (got, want) in zip(result, [1 + 1e-13, 2 - 1e-13, 3]) { #expect(abs(got - want) < 1e-15) }
  }

  @Test("A NaN or infinity of an input stays where it is")
  func notFinite() throws {
    var tensor = AwkwardTensors.random("x", [9000], models: 3)
    let clean =
      try MethodTrial(
        method: "task_arithmetic", hasBase: true, models: ["weight: 0.5", "weight: 0.5"]
      ).run([tensor])["x"] ?? []
    tensor.models[1][3] = .nan
    tensor.models[2][8500] = .infinity
    let spoilt =
      try MethodTrial(
        method: "task_arithmetic", hasBase: true, models: ["weight: 0.5", "weight: 0.5"]
      ).run([tensor])["x"] ?? []
    #expect(spoilt.indices.filter { spoilt[$0] != clean[$0] } == [3, 8500])
    #expect(spoilt[3].isNaN && spoilt[8500] == .infinity)
  }
}
