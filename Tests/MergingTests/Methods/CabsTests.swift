// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing
import Weights

@Suite("CABS")
struct CabsTests {
  @Test(
    "Each model takes the largest elements of each stretch that are left",
    arguments: [(64, 256), (1, 1), (3, 8), (8, 8)], [DType.f32, .f64])
  func rule(share: (Int, Int), dtype: DType) throws {
    let (n, m) = share
    let trial = MethodTrial(
      method: "cabs", hasBase: true, shared: "n: \(n), m: \(m), lambda: 0.5",
      models: ["weight: 1", "weight: -0.75", "weight: 1.5"], dtype: dtype)
    try trial.expectSame { inputs in
      var result = inputs.base
      for start in stride(from: 0, to: inputs.count, by: m) {
        var free = Array(start..<min(start + m, inputs.count))
        let kept = (n * free.count + m - 1) / m
        for (delta, weight) in zip(inputs.deltas, [1, -0.75, 1.5]) {
          let order = free.filter { delta[$0] != 0 }.sorted {
            (-abs(delta[$0]), $0) < (-abs(delta[$1]), $1)
          }
          let taken = Set(order.prefix(kept))
          for index in taken { result[index] += 0.5 * weight * delta[index] }
          free.removeAll { taken.contains($0) }
        }
      }
      return result
    }
  }
}
