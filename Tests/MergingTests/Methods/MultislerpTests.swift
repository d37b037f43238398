// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Merging
import Testing

@Suite("Multi-SLERP")
struct MultislerpTests {
  /// The rule as it was published: a step from the mean direction along the mean of the tangents.
  private func merged(_ v: [[Double]], _ weights: [Double]) -> [Double] {
    func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    func sum(_ x: [[Double]], _ c: [Double]) -> [Double] {
      x[0].indices.map { index in zip(x, c).reduce(0) { $0 + $1.0[index] * $1.1 } }
    }
    let norms = v.map(norm)
    let units = zip(v, norms).map { vector, norm in vector.map { $0 / (norm + 1e-8) } }
    let mean = sum(units, weights)
    let length = norm(mean)
    guard length >= 1e-7 else { return sum(v, weights) }
    let center = mean.map { $0 / length }
    let tangents = units.map { unit in
      let along = zip(unit, center).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(unit, center).map { $0 - along * $1 }
    }
    let tangent = sum(tangents, weights)
    let angle = norm(tangent)
    let scale = zip(norms, weights).reduce(0) { $0 + $1.0 * $1.1 }
    return zip(center, tangent).map { scale * (cos(angle) * $0 + sin(angle) * $1 / (angle + 1e-8)) }
  }

  @Test("The result is the published rule's, without its last step", arguments: [false, true])
  func rule(hasBase: Bool) throws {
    let trial = MethodTrial(
      method: "multislerp", hasBase: hasBase, models: ["weight: 2", "weight: 1", "weight: 1"])
    try trial.expectSame(tolerance: 4e-6) { inputs in
      let point = merged(inputs.deltas, [0.5, 0.25, 0.25])
      return hasBase ? zip(inputs.base, point).map { $0 + $1 } : point
    }
  }

  @Test("One model is taken as it is, whatever its weight")
  func single() throws {
    let tensors = AwkwardTensors.all(models: 2)
    let result = try MethodTrial(method: "multislerp", hasBase: true, models: ["weight: 0.3"])
      .run(tensors)
    for tensor in tensors { #expect(result[tensor.name] == tensor.models[1]) }
  }

  @Test("Directions that cancel out leave the weighted sum")
  func opposite() throws {
    let values = (1...50).map { Double($0) / 64 }
    let models = [values, values.map { -2 * $0 }, values.map { 0 * $0 }]
    let result = try MethodTrial(
      method: "multislerp", hasBase: false, models: ["weight: 1", "weight: 1", "weight: 2"]
    ).run([.init(name: "x", shape: [50], models: models)])
    for (got, value) in zip(result["x"] ?? [], values) { #expect(abs(got + 0.25 * value) < 1e-6) }
  }

  @Test("Weights that sum to zero are refused if they are to be normalized")
  func zeroSum() throws {
    var trial = MethodTrial(
      method: "multislerp", hasBase: false, models: ["weight: 1", "weight: -1"])
    let tensors = [AwkwardTensors.random("x", [9], models: 2)]
    #expect(throws: RecipeError.self) { try trial.run(tensors) }
    trial.shared = "normalize_weights: false"
    #expect(try trial.run(tensors)["x"]?.allSatisfy(\.isFinite) == true)
  }
}
