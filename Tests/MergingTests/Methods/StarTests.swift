// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("STAR")
struct StarTests {
  @Test(
    "The largest singular values stay and take over the sum of all", arguments: [0, 0.4, 0.9, 1])
  func rule(eta: Double) throws {
    let trial = MethodTrial(
      method: "star", hasBase: true, shared: "eta: \(eta), lambda: 0.75", models: ["", "", ""])
    try trial.expectSame(AwkwardTensors.matrices(models: 4), slack: 1e-15) { inputs in
      inputs.spectral(on: inputs.base, inputs.exactDeltas, average: 0.25) { deltas in
        let parts = deltas.map { delta in
          delta.replacingValues { values in
            let total = values.reduce(0, +)
            var kept: [Double] = []
            for value in values where kept.isEmpty || kept.reduce(0, +) < eta * total {
              kept.append(value)
            }
            return kept.map { 0.25 * $0 * total / kept.reduce(0, +) }
          }
        }
        return parts.dropFirst().reduce(parts[0], +)
      }
    }
  }
}
