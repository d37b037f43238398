// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("DARE TIES")
struct DareTiesTests {
  @Test("Signs are elected among what was kept")
  func election() throws {
    let trial = MethodTrial(
      method: "dare_ties", hasBase: true, shared: "rescale: false",
      models: ["weight: 1, density: 0.5", "weight: 1, density: 0.5"])
    let result = try #require(try trial.run([Lots.constant([1, -2], [200_000])])["x"])
    // Where both are kept their sum is negative, and only the second counts.
    #expect(Set(result) == [0, 1, -2])
    Lots.expect(result.map { $0 == 1 }, 0.25)
    Lots.expect(result.map { $0 == -2 }, 0.5)
  }

  @Test("At density 1 it is the election alone", arguments: [false, true])
  func dense(normalize: Bool) throws {
    let trial = MethodTrial(
      method: "dare_ties", hasBase: true, shared: "normalize: \(normalize)",
      models: ["weight: 0.625", "weight: 0.5", "weight: 0.375"])
    try trial.expectSame {
      TaskVectorReference(weights: [0.625, 0.5, 0.375], elects: true, normalize: normalize).merged(
        $0)
    }
  }
}
