// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("RAM")
struct RamTests {
  @Test("Shared changes are averaged, unique ones kept", arguments: [1e-5, 0.003, 0])
  func rule(epsilon: Double) throws {
    let trial = MethodTrial(
      method: "ram", hasBase: true, shared: "epsilon: \(epsilon)", models: ["", "", ""])
    try trial.expectSame { $0.combiningActive(epsilon: epsilon) { _, _ in 1 } }
  }
}

extension MethodTrial.Inputs {
  /// The base and the mean of the changes above `epsilon`, those of one model alone times a factor of how many
  /// of its changes are unique and how many shared.
  func combiningActive(epsilon: Double, factor: (Int, Int) -> Double) -> [Double] {
    let epsilon = Double(Float(epsilon))
    let active = deltas.map { $0.map { abs($0) > epsilon } }
    let counts = base.indices.map { index in active.filter { $0[index] }.count }
    let factors = active.map { active in
      let unique = active.indices.filter { active[$0] && counts[$0] == 1 }.count
      return factor(unique, active.filter { $0 }.count - unique)
    }
    return base.indices.map { index in
      let sum = deltas.indices.filter { active[$0][index] }.reduce(0) {
        $0 + deltas[$1][index] * (counts[index] == 1 ? factors[$1] : 1)
      }
      return base[index] + sum / Double(max(1, counts[index]))
    }
  }
}
