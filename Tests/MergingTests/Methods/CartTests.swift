// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("CART")
struct CartTests {
  @Test("The strongest directions of what sets models apart are added", arguments: [0, 0.08, 0.5])
  func rule(rank: Double) throws {
    let trial = MethodTrial(
      method: "cart", hasBase: false, shared: "rank: \(rank), lambda: 1.25", models: ["", "", ""])
    try trial.expectSame(AwkwardTensors.matrices(models: 3), slack: 1e-15) { inputs in
      let mean = inputs.models[0].indices.map { element in
        inputs.models.reduce(0) { $0 + $1[element] } / 3
      }
      let differences = inputs.models.map { zip($0, mean).map { $0 - $1 } }
      return inputs.spectral(on: mean, differences, average: 0) { differences in
        let order = inputs.shape.suffix(2).min() ?? 0
        let count = rank > 0 ? max(1, Int(rank * Double(order))) : 0
        let parts = differences.map { part in
          part.replacingValues { $0.prefix(count).map { 1.25 * $0 } }
        }
        return parts.dropFirst().reduce(parts[0]) { $1.columns.isEmpty ? $0 : $0 + $1 }
      }
    }
  }
}
