// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Merging
import Testing

@Suite("Karcher mean")
struct KarcherTests {
  private func dot(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The mean by steps over whole vectors.
  private func mean(_ models: [[Double]], _ steps: Int) -> [Double] {
    let norms = models.map { dot($0, $0).squareRoot() }
    let units = zip(models, norms).filter { $0.1 > 0 }.map { model, norm in model.map { $0 / norm }
    }
    guard let first = units.first else { return models[0].map { _ in 0 } }
    let share = 1 / Double(units.count)
    var point = first.indices.map { index in units.reduce(0) { $0 + share * $1[index] } }
    let start = dot(point, point).squareRoot()
    point = start < 1e-5 ? first : point.map { $0 / start }
    for _ in 0..<steps {
      var tangent = point.map { _ in 0.0 }
      for unit in units {
        let cosine = max(-1, min(1, dot(point, unit)))
        let angle = acos(cosine)
        guard angle >= 1e-5, sin(angle) > 1e-12 else { continue }
        for index in tangent.indices {
          tangent[index] += share * angle / sin(angle) * (unit[index] - cosine * point[index])
        }
      }
      let step = dot(tangent, tangent).squareRoot()
      if step < 1e-5 { break }
      point = zip(point, tangent).map { cos(step) * $0 + sin(step) / step * $1 }
      let norm = dot(point, point).squareRoot()
      point = point.map { $0 / norm }
    }
    let length = norms.reduce(0, +) / Double(norms.count)
    return point.map { length * $0 }
  }

  @Test("Steps over dot products end where steps over whole vectors do")
  func steps() throws {
    let trial = MethodTrial(method: "karcher", hasBase: false, models: ["", "", ""])
    try trial.expectSame(
      AwkwardTensors.all(models: 3), tolerance: 6e-6
    ) { mean($0.models, 10) }
  }

  @Test("Vectors far apart meet where the pulls of all cancel out")
  func farApart() throws {
    let models = (0..<4).map {
      AwkwardTensors.random("x", [40], models: 1, seed: UInt64($0)).models[0]
    }
    let trial = MethodTrial(
      method: "karcher", hasBase: false, shared: "max_iter: 200", models: ["", "", "", ""])
    try trial.expectSame([.init(name: "x", shape: [40], models: models)]) { mean($0.models, 200) }
  }

  @Test("Opposite models and a model of zeros do no harm")
  func degenerate() throws {
    let values = (1...30).map { Double($0) / 32 }
    let models = [values, values.map { -$0 }, values.map { _ in 0 }]
    let result = try MethodTrial(method: "karcher", hasBase: false, models: ["", "", ""])
      .run([.init(name: "x", shape: [30], models: models)])
    for (got, value) in zip(result["x"] ?? [], values) {
      #expect(abs(got - value * 2 / 3) < 1e-6)
    }
  }
}
