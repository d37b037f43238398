// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Linear DARE")
struct DareLinearTests {
  private func trial(_ densities: [Double], rescale: String = "false", seed: UInt64 = 5)
    -> MethodTrial
  {
    MethodTrial(
      method: "dare_linear", hasBase: true, shared: "rescale: \(rescale)",
      models: densities.map { "weight: 1, density: \($0)" }, seed: seed)
  }

  @Test("Models, tensors, neighbours and seeds are kept independently of each other")
  func independence() throws {
    let tensors = ["x", "y"].map { Lots.constant([1, 2], [300, 1000], name: $0) }
    let result = try trial([0.3, 0.6]).run(tensors)
    let other = try trial([0.3, 0.6], seed: 6).run(tensors)
    let x = try #require(result["x"])
    let first = x.map { $0 == 1 || $0 == 3 }
    Lots.expect(first, 0.3)
    Lots.expect(x.map { $0 >= 2 }, 0.6)
    Lots.expect(x.map { $0 == 3 }, 0.18)
    Lots.expect(zip(x, try #require(result["y"])).map { $0 >= 2 && $1 >= 2 }, 0.36)
    Lots.expect(zip(x, try #require(other["x"])).map { $0 >= 2 && $1 >= 2 }, 0.36)
    Lots.expect(zip(first, first.dropFirst()).map { $0 && $1 }, 0.09)
    Lots.expect(zip(first, first.dropFirst(1000)).map { $0 && $1 }, 0.09)
  }

  @Test("The same is kept with any number of threads and whatever else is merged")
  func partition() throws {
    let tensors = ["x", "y"].map { AwkwardTensors.random($0, [300, 1000], models: 3) }
    let together = try trial([0.3, 0.6], rescale: "true").run(tensors, threads: 3)
    #expect(try trial([0.3, 0.6], rescale: "true").run([tensors[1]])["y"] == together["y"])
  }

  @Test("The L1 norm is restored, or what is kept is divided by the density")
  func rescale() throws {
    let tensor = Lots.constant([1], [300, 1000])
    let l1 = try #require(try trial([0.3], rescale: "true").run([tensor])["x"])
    #expect(abs(l1.reduce(0, +) / 300_000 - 1) < 1e-6)
    #expect(try trial([0.3], rescale: "l1").run([tensor])["x"] == l1)
    let fair = try #require(try trial([0.3], rescale: "expectation").run([tensor])["x"])
    #expect(fair.allSatisfy { $0 == 0 || abs($0 - 1 / 0.3) < 1e-6 })
    Lots.expect(fair.map { $0 != 0 }, 0.3)
  }

  @Test("Nothing is kept at density 0, and all at density 1")
  func extremes() throws {
    try trial([0, 1], rescale: "true").expectSame {
      TaskVectorReference(weights: [0, 1]).merged($0)
    }
  }
}
