// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Consensus task arithmetic")
struct ConsensusTaTests {
  @Test("What matters for enough tasks is added", arguments: [1, 2, 3])
  func rule(k: Int) throws {
    let trial = MethodTrial(
      method: "consensus_ta", hasBase: true, shared: "k: \(k), threshold: 0.5, lambda: 0.75",
      models: ["", "", ""])
    // Steps of 1/1024 are added up exactly, so that both sides decide alike.
    let tensors = AwkwardTensors.all(models: 4).filter {
      ["steps", "equal", "zeros"].contains($0.name)
    }
    try trial.expectSame(tensors) { inputs in
      inputs.base.indices.map { index in
        let values = inputs.deltas.map { $0[index] }
        let sum = values.reduce(0, +)
        let tasks = values.filter { abs($0) > 0.5 * abs(sum - $0) }
        return inputs.base[index] + (tasks.count >= k ? 0.75 * sum : 0)
      }
    }
  }
}
