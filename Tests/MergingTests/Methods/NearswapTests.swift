// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("NearSwap")
struct NearswapTests {
  @Test("No element moves by more than t", arguments: [0.001, 0])
  func rule(t: Double) throws {
    let trial = MethodTrial(method: "nearswap", hasBase: true, shared: "t: \(t)", models: [""])
    try trial.expectSame { inputs in
      zip(inputs.base, inputs.models[0]).map { base, other in
        let share = max(0, min(1, t / max(abs(base - other), 1e-6)))
        return share * other + (1 - share) * base
      }
    }
  }
}
