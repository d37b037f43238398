// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("DELLA")
struct DellaTests {
  @Test("The probability of keeping rises with the rank in the row")
  func ranks() throws {
    let (rows, columns) = (400, 1000)
    var numbers = Numbers(seed: 3)
    let orders = (0..<rows).map { _ in (1...columns).shuffled(using: &numbers) }
    let values = orders.flatMap { $0.map { Double($0 % 2 == 0 ? $0 : -$0) / 1024 } }
    let trial = MethodTrial(
      method: "della", hasBase: true, shared: "rescale: false, normalize: false",
      models: ["weight: 1, density: 0.6, epsilon: 0.3"])
    let tensor = MethodTrial.Tensor(
      name: "x", shape: [rows, columns], models: [values.map { _ in 0 }, values])
    let result = try #require(try trial.run([tensor], threads: 2)["x"])
    #expect(zip(result, values).allSatisfy { $0 == 0 || $0 == $1 })
    for decile in 0..<10 {
      let ranks = decile * 100..<decile * 100 + 100
      let kept = zip(orders.joined(), result).filter { ranks.contains($0.0 - 1) }.map { $0.1 != 0 }
      Lots.expect(kept, 0.3 + 0.6 * (Double(decile) * 100 + 49.5) / 999)
    }
  }

  @Test(
    "Elements of equal magnitude have the same chance, and so has a row of one",
    arguments: [1, 500])
  func equals(columns: Int) throws {
    let trial = MethodTrial(
      method: "della", hasBase: true, shared: "rescale: false",
      models: ["weight: 1, density: 0.5, epsilon: 0.4"])
    let result = try #require(
      try trial.run([Lots.constant([1], [100_000 / columns, columns])])["x"])
    Lots.expect(result.map { $0 != 0 }, 0.5)
    // Not more likely at the beginning of a row than at its end.
    let early = result.indices.filter { columns == 1 || $0 % columns < columns / 2 }
    Lots.expect(early.map { result[$0] != 0 }, 0.5)
  }

  @Test("Models, tensors and seeds are drawn for independently of each other")
  func independence() throws {
    func run(_ seed: UInt64) throws -> [String: [Double]] {
      let trial = MethodTrial(
        method: "della", hasBase: true, shared: "rescale: false, normalize: false",
        models: ["weight: 1, density: 0.4", "weight: 1, density: 0.7"], seed: seed)
      return try trial.run(["x", "y"].map { Lots.constant([1, 2], [200, 500], name: $0) })
    }
    let (result, other) = (try run(5), try run(6))
    let (x, y) = (try #require(result["x"]), try #require(result["y"]))
    Lots.expect(x.map { $0 == 1 || $0 == 3 }, 0.4)
    Lots.expect(x.map { $0 == 3 }, 0.28)
    Lots.expect(zip(x, y).map { $0 >= 2 && $1 >= 2 }, 0.49)
    Lots.expect(zip(x, try #require(other["x"])).map { $0 >= 2 && $1 >= 2 }, 0.49)
  }

  @Test("Probabilities outside 0...1 are refused, but not where nothing is drawn")
  func range() throws {
    func trial(_ density: Double) -> MethodTrial {
      MethodTrial(method: "della", hasBase: true, models: ["weight: 1, density: \(density)"])
    }
    let tensors = AwkwardTensors.all(models: 2)
    for density in [0.1, 0.15, 0.85, 0.9] {
      #expect(throws: RecipeError.self) { try trial(density).run(tensors) }
    }
    try trial(1).expectSame(tensors) { TaskVectorReference(weights: [1]).merged($0) }
    try trial(0).expectSame(tensors) { $0.base }
  }

  @Test("The same is kept with any number of threads, in every shape")
  func threads() throws {
    let trial = MethodTrial(
      method: "della", hasBase: true,
      models: ["weight: 0.5, density: 0.5", "weight: 0.5, density: 0.6, epsilon: 0.2"], seed: 9)
    let tensors =
      AwkwardTensors.all(models: 3)
    let result = try trial.run(tensors)
    #expect(try trial.run(tensors, threads: 3) == result)
  }
}
