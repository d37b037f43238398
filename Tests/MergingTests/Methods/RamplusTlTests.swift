// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("RAM+")
struct RamplusTlTests {
  @Test("Unique changes are amplified by what is shared", arguments: [0.2, 100])
  func rule(alpha: Double) throws {
    let trial = MethodTrial(
      method: "ramplus_tl", hasBase: true, shared: "epsilon: 0.004, r: 0.3, alpha: \(alpha)",
      models: ["", "", ""])
    try trial.expectSame { inputs in
      inputs.combiningActive(epsilon: 0.004) { unique, shared in
        1 + 0.3 * min(alpha, Double(shared) / max(Double(unique), 0.004))
      }
    }
  }
}
