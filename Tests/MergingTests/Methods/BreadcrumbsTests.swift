// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Model Breadcrumbs")
struct BreadcrumbsTests {
  @Test(
    "Both tails are dropped",
    arguments: [(0.7, 0.01), (0.9, 0.3), (0.2, 0.0), (0.0, 0.1), (0.5, 0.5), (1, 0.5)])
  func rule(density: Double, gamma: Double) throws {
    let trial = MethodTrial(
      method: "breadcrumbs", hasBase: true,
      models: ["weight: 0.5, density: \(density), gamma: \(gamma)", "weight: 0.75, density: 0.6"])
    let shares = [(density, gamma), (0.6, 0.01)]
    try trial.expectSame {
      TaskVectorReference(
        weights: [0.5, 0.75],
        sparsify: { TaskVectorReference.middle(shares[$0].0, shares[$0].1, $1) }, elects: false
      ).merged($0)
    }
  }

  @Test("The number kept is right where both bounds are at the same magnitude")
  func sameBound() throws {
    for count in [100, 70_000] {
      var values = [Double](repeating: 0.5, count: count)
      values[7] = 2
      values[9] = 0.25
      let tensor = MethodTrial.Tensor(
        name: "x", shape: [count], models: [values.map { _ in 0 }, values])
      let result =
        try MethodTrial(
          method: "breadcrumbs", hasBase: true, models: ["weight: 1, density: 0.3, gamma: 0.2"]
        ).run([tensor])["x"] ?? []
      let kept = result.indices.filter { result[$0] != 0 }
      #expect(kept == Array(values.indices.filter { $0 != 7 && $0 != 9 }.prefix(count * 3 / 10)))
    }
  }

  @Test("Histograms find the same bounds as sorting does")
  func histograms() throws {
    let trial = MethodTrial(
      method: "breadcrumbs", hasBase: true,
      models: ["weight: 0.5, density: 0.7, gamma: 0.2", "weight: 0.75, density: 0.9, gamma: 0.05"])
    let shares = [(0.7, 0.2), (0.9, 0.05)]
    try trial.expectSame([AwkwardTensors.large(models: 3)]) {
      TaskVectorReference(
        weights: [0.5, 0.75],
        sparsify: { TaskVectorReference.middle(shares[$0].0, shares[$0].1, $1) }
      ).merged($0)
    }
  }
}
