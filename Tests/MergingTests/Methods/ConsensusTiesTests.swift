// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Consensus TIES")
struct ConsensusTiesTests {
  @Test("What TIES keeps and matters for enough tasks is added", arguments: [0, 1, 2, 3])
  func rule(k: Int) throws {
    let trial = MethodTrial(
      method: "consensus_ties", hasBase: true, shared: "k: \(k), threshold: 0.5, lambda: 0.75",
      models: ["density: 0.6", "", "density: 1"])
    // Steps of 1/1024 are added up exactly, so that both sides decide alike.
    let tensors = AwkwardTensors.all(models: 4).filter {
      ["steps", "equal", "zeros", "constant"].contains($0.name)
    }
    try trial.expectSame(tensors) { inputs in
      var bare = inputs
      bare.base = inputs.base.map { _ in 0 }
      let merged = TaskVectorReference(
        weights: [1, 1, 1],
        sparsify: { TaskVectorReference.largest([0.6, 0.2, 1][$0], $1) }, elects: true
      ).merged(bare)
      return inputs.base.indices.map { index in
        let tasks = inputs.deltas.filter {
          abs($0[index]) > 0.5 * abs(merged[index] - $0[index])
        }
        return inputs.base[index] + (tasks.count >= k ? 0.75 * merged[index] : 0)
      }
    }
  }
}
