// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("MetaGPT")
struct MetagptTests {
  /// The weights of the models, from all tensors that are surveyed together.
  private static func shares(_ tensors: [MethodTrial.Inputs]) -> [Double] {
    let count = tensors.first?.deltas.count ?? 0
    let sums = (0..<count).map { model in
      tensors.reduce(0) { $0 + $1.deltas[model].reduce(0) { $0 + $1 * $1 } }
    }
    let total = sums.reduce(0, +)
    return sums.map { total > 0 ? $0 / total : 1 / Double(count) }
  }

  @Test("Task vectors count by their squared lengths", arguments: ["tensor", "layer", "model"])
  func rule(scope: String) throws {
    let trial = MethodTrial(
      method: "metagpt", hasBase: true, shared: "scope: \(scope), lambda: 1.5",
      models: ["", "", ""])
    // None of them is in a layer, so that each is a group of its own.
    let tensors = AwkwardTensors.all(models: 4)
    let all = tensors.map(trial.inputs)
    try trial.expectSame(tensors) { inputs in
      let weights = Self.shares(scope == "model" ? all : [inputs])
      return inputs.base.indices.map { element in
        inputs.base[element]
          + 1.5 * zip(weights, inputs.deltas).reduce(0) { $0 + $1.0 * $1.1[element] }
      }
    }
  }

  @Test("Unless told otherwise the lengths are those of the whole model")
  func scope() throws {
    let tensors = [
      MethodTrial.Tensor(name: "x", shape: [1], models: [[0], [1], [0]]),
      MethodTrial.Tensor(name: "y", shape: [1], models: [[0], [0], [3]]),
    ]
    let result = try MethodTrial(method: "metagpt", hasBase: true, models: ["", ""]).run(tensors)
    #expect(abs((result["x"]?[0] ?? 0) - 0.1) < 1e-7)
    #expect(abs((result["y"]?[0] ?? 0) - 2.7) < 1e-6)
  }
}
