// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("SCE")
struct SceTests {
  static func merged(_ inputs: MethodTrial.Inputs, _ share: Double) -> [Double] {
    let count = Double(inputs.deltas.count)
    let variances = inputs.base.indices.map { index in
      let values = inputs.deltas.map { $0[index] }
      let mean = values.reduce(0, +) / count
      return Double(Float(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count))
    }
    var deltas = inputs.deltas
    if share < 1 {
      let selected = Int(Double(variances.filter { $0 != 0 }.count) * share)
      let kept = TaskVectorReference.ranked(variances).prefix(selected)
      deltas = deltas.map { TaskVectorReference.keeping(kept, of: $0) }
    }
    let energies = deltas.map { $0.reduce(0) { $0 + $1 * $1 } }
    let sum = energies.reduce(0, +)
    let weights = energies.map { sum > 0 ? $0 / sum : 1 / count }
    return inputs.base.indices.map { index in
      let values = deltas.map { $0[index] }
      let sign = values.reduce(0, +) >= 0 ? 1.0 : -1
      let taken = values.indices.filter { values[$0] * sign > 0 }
      let total = taken.reduce(0) { $0 + weights[$1] * values[$1] }
      return inputs.base[index] + total / max(1e-6, taken.reduce(0) { $0 + weights[$1] })
    }
  }

  @Test(
    "What varies most is weighted and averaged where signs agree", arguments: [1, 0.3, 0.01, 0])
  func rule(share: Double) throws {
    let trial = MethodTrial(
      method: "sce", hasBase: true, shared: "select_topk: \(share)", models: ["", "", ""])
    try trial.expectSame { Self.merged($0, share) }
  }

  @Test("Weights do not depend on the scale of the changes")
  func scale() throws {
    let trial = MethodTrial(method: "sce", hasBase: true, models: ["", ""])
    let models = [[0, 0], [Double(Float(4e-7)), 0], [Double(Float(1e-7)), Double(Float(1e-7))]]
    let result = try trial.run([.init(name: "x", shape: [2], models: models)])["x"] ?? []
    // Sums of squares 16 and 2, so weights 8/9 and 1/9.
    #expect(abs(result[0] - (8 * 4e-7 + 1e-7) / 9) < 1e-12)
  }

  @Test("Histograms find the same bound as sorting does")
  func histograms() throws {
    let trial = MethodTrial(
      method: "sce", hasBase: true, shared: "select_topk: 0.3", models: ["", "", ""])
    try trial.expectSame([AwkwardTensors.large(models: 4)]) { Self.merged($0, 0.3) }
  }
}
