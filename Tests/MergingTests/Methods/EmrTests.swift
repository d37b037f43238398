// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("EMR")
struct EmrTests {
  @Test("The largest change with the elected sign is taken")
  func rule() throws {
    let trial = MethodTrial(
      method: "emr", hasBase: true, shared: "lambda: 0.5", models: ["", "", ""])
    try trial.expectSame { inputs in
      inputs.base.indices.map { index in
        let values = inputs.deltas.map { $0[index] }
        let isPositive = values.reduce(0, +) > 0
        return inputs.base[index]
          + 0.5 * (isPositive ? values.max() ?? 0 : min(0, values.min() ?? 0))
      }
    }
  }
}
