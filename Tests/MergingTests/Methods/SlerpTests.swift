// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Merging
import Testing

@Suite("SLERP")
struct SlerpTests {
  @Test("The result is on the arc", arguments: [0.25, 0.5, 1.2])
  func arc(t: Double) throws {
    let trial = MethodTrial(method: "slerp", hasBase: true, shared: "t: \(t)", models: [""])
    try trial.expectSame { inputs in
      let (a, b) = (inputs.base, inputs.models[0])
      func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
      let norms = (dot(a, a).squareRoot(), dot(b, b).squareRoot())
      let cosine = dot(a, b) / ((norms.0 > 1e-8 ? norms.0 : 1) * (norms.1 > 1e-8 ? norms.1 : 1))
      var share = (1 - t, t)
      if abs(cosine) <= 0.9995 {
        let angle = acos(cosine)
        share = (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
      }
      return zip(a, b).map { share.0 * $0 + share.1 * $1 }
    }
  }

  @Test("The ends of the arc are the models, bit for bit")
  func ends() throws {
    let tensors = AwkwardTensors.all(models: 2)
    for (t, model) in [(0, 0), (1, 1)] {
      let result = try MethodTrial(
        method: "slerp", hasBase: true, shared: "t: \(t)", models: [""]
      ).run(tensors)
      for tensor in tensors {
        #expect(result[tensor.name]?.map(\.bitPattern) == tensor.models[model].map(\.bitPattern))
      }
    }
  }
}
