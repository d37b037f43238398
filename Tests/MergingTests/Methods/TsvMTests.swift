// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("TSV-Merge")
struct TsvMTests {
  @Test("The directions of all tasks are made orthogonal", arguments: [2, 3])
  func rule(models: Int) throws {
    let trial = MethodTrial(
      method: "tsv_m", hasBase: true, shared: "lambda: 0.8",
      models: Array(repeating: "", count: models))
    try trial.expectSame(AwkwardTensors.matrices(models: models + 1), slack: 1e-15) { inputs in
      inputs.spectral(on: inputs.base, inputs.exactDeltas, average: 0.8 / Double(models)) {
        deltas in
        let share = max(1, (inputs.shape.suffix(2).min() ?? 0) / models)
        let parts = deltas.map(\.singular)
        let u = MatrixReference.joined(
          parts.map { MatrixReference(columns: Array($0.u.columns.prefix(share))) })
        let v = MatrixReference.joined(
          parts.map { MatrixReference(columns: Array($0.v.columns.prefix(share))) })
        guard !u.columns.isEmpty else { return u }
        let values = parts.flatMap { $0.values.prefix(share) }.map { 0.8 * $0 }
        return u.polar.scaled(values) * v.polar.transposed
      }
    }
  }

  @Test("A task vector alone, and one that is there twice, stays what it is", arguments: [1, 2])
  func alone(count: Int) throws {
    var tensor = AwkwardTensors.random("x", [40, 12], models: 2)
    tensor.models += Array(repeating: tensor.models[1], count: count - 1)
    // Rank one, so that each task's share of the directions has room for all of it.
    tensor.models[0] = tensor.models[0].map { _ in 0 }
    for model in 1...count {
      tensor.models[model] = AwkwardTensors.rankOne(rows: 40, columns: 12)
    }
    let trial = MethodTrial(
      method: "tsv_m", hasBase: true, models: Array(repeating: "", count: count))
    let result = try #require(try trial.run([tensor])["x"])
    for (got, want) in zip(result, tensor.models[1]) { #expect(abs(got - want) < 1e-6) }
  }
}
