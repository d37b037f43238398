// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Passthrough")
struct PassthroughTests {
  @Test("A model goes through unchanged, or scaled")
  func scale() throws {
    let tensors = AwkwardTensors.all(models: 1)
    for (parameters, factor) in [("", 1.0), ("scale: 0.5", 0.5)] {
      let trial = MethodTrial(method: "passthrough", hasBase: false, models: [parameters])
      try trial.expectSame(tolerance: 1e-7) { $0.models[0].map { factor * $0 } }
      let result = try trial.run(tensors, threads: 2)
      for tensor in tensors {
        let want = tensor.models[0].map { Double(Float($0 * factor)) }
        #expect(result[tensor.name]?.map(\.bitPattern) == want.map(\.bitPattern))
      }
    }
  }
}
