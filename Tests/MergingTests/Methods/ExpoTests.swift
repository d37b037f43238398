// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("ExPO")
struct ExpoTests {
  @Test("The model moves on in its direction")
  func rule() throws {
    let trial = MethodTrial(method: "expo", hasBase: true, shared: "alpha: 0.4", models: [""])
    try trial.expectSame { inputs in
      zip(inputs.models[0], inputs.deltas[0]).map { $0 + 0.4 * $1 }
    }
  }
}
