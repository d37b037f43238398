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
      let result = try MethodTrial(method: "passthrough", hasBase: false, models: [parameters])
        .run(tensors, threads: 2)
      for tensor in tensors {
        let want = tensor.models[0].map { Double(Float($0 * factor)) }
        #expect(result[tensor.name]?.map(\.bitPattern) == want.map(\.bitPattern))
      }
    }
  }
}
