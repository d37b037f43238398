// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Model Breadcrumbs with TIES")
struct BreadcrumbsTiesTests {
  @Test(
    "Both tails are dropped",
    arguments: [(0.7, 0.01), (0.9, 0.3), (0.2, 0.0), (0.0, 0.1), (0.5, 0.5), (1, 0.5)])
  func rule(density: Double, gamma: Double) throws {
    let trial = MethodTrial(
      method: "breadcrumbs_ties", hasBase: true,
      models: ["weight: 0.5, density: \(density), gamma: \(gamma)", "weight: 0.75, density: 0.6"])
    let shares = [(density, gamma), (0.6, 0.01)]
    try trial.expectSame {
      TaskVectorReference(
        weights: [0.5, 0.75],
        sparsify: { TaskVectorReference.middle(shares[$0].0, shares[$0].1, $1) }, elects: true
      ).merged($0)
    }
  }
}
