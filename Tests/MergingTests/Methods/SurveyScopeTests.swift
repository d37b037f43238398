// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

/// Statistics over several tensors are those of one tensor that has the elements of all.
@Suite("Scope of surveys")
struct SurveyScopeTests {
  /// Tensors of three layers and of none, small and of several blocks, with many equal magnitudes.
  private static func tensors(models: Int) -> [MethodTrial.Tensor] {
    let awkward = AwkwardTensors.all(models: models)
    let names = [
      "row": "model.layers.0.a", "steps": "model.layers.0.b", "cube": "model.layers.1.a",
      "wide": "model.layers.1.b", "seven": "model.layers.2.a", "constant": "model.layers.2.b",
      "equal": "model.norm.weight", "scalar": "model.scale",
    ]
    return awkward.compactMap { tensor in
      names[tensor.name].map { .init(name: $0, shape: tensor.shape, models: tensor.models) }
    }
  }

  private static func group(_ name: String, _ scope: String) -> String {
    switch scope {
    case "model": "model"
    case "layer": String(name.prefix("model.layers.0".count))
    default: name
    }
  }

  /// Expects what `reference` makes of each group's tensors as one.
  private static func expectJoined(
    _ trial: MethodTrial, _ scope: String, _ reference: (MethodTrial.Inputs) -> [Double]
  ) throws {
    let tensors = tensors(models: trial.modelCount).sorted { $0.name < $1.name }
    var expected: [String: [Double]] = [:]
    for (_, members) in Dictionary(grouping: tensors, by: { group($0.name, scope) }) {
      let joined = MethodTrial.Tensor(
        name: members[0].name, shape: [members.reduce(0) { $0 + $1.models[0].count }],
        models: (0..<trial.modelCount).map { model in members.flatMap { $0.models[model] } })
      var rest = reference(trial.inputs(joined))[...]
      for member in members {
        let count = member.models[0].count
        expected[member.name] = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
      }
    }
    try trial.expectSame(tensors) { expected[$0.name] ?? [] }
  }

  @Test(
    "TIES keeps the largest of all tensors together, equals by tensor and index",
    arguments: ["tensor", "layer", "model"], [false, true])
  func ties(scope: String, rescale: Bool) throws {
    let trial = MethodTrial(
      method: "ties", hasBase: true, shared: "scope: \(scope), rescale: \(rescale)",
      models: ["weight: 0.5, density: 0.4", "weight: 0.75, density: 0.03"])
    try Self.expectJoined(trial, scope) {
      TaskVectorReference(
        weights: [0.5, 0.75], sparsify: { TaskVectorReference.largest([0.4, 0.03][$0], $1) },
        elects: true, normalize: true, rescale: rescale
      ).merged($0)
    }
  }

  @Test("Breadcrumbs drops the extremes of all tensors together", arguments: ["layer", "model"])
  func breadcrumbs(scope: String) throws {
    let trial = MethodTrial(
      method: "breadcrumbs", hasBase: true, shared: "scope: \(scope)",
      models: ["weight: 1, density: 0.5, gamma: 0.1", "weight: 0.5, density: 0.9, gamma: 0.05"])
    try Self.expectJoined(trial, scope) {
      TaskVectorReference(
        weights: [1, 0.5],
        sparsify: { TaskVectorReference.middle([0.5, 0.9][$0], [0.1, 0.05][$0], $1) }
      ).merged($0)
    }
  }

  @Test("SCE selects and weights all tensors together", arguments: ["layer", "model"], [1, 0.3])
  func sce(scope: String, share: Double) throws {
    let trial = MethodTrial(
      method: "sce", hasBase: true, shared: "scope: \(scope), select_topk: \(share)",
      models: ["", "", ""])
    try Self.expectJoined(trial, scope) { SceTests.merged($0, share) }
  }

  @Test(
    "DARE and DELLA restore the L1 norm of all tensors together",
    arguments: ["dare_linear", "della_linear"])
  func norms(id: String) throws {
    let trial = MethodTrial(
      method: id, hasBase: true, shared: "scope: model", models: ["weight: 1, density: 0.5"])
    let tensors = (0..<40).map { AwkwardTensors.random("x\($0)", [9, 7], models: 2, seed: $0) }
    let result = try trial.run(tensors)
    #expect(try trial.run(tensors, threads: 3) == result)
    var (whole, kept) = (0.0, 0.0)
    var factors: Set<Float> = []
    for tensor in tensors {
      for (index, value) in (result[tensor.name] ?? []).enumerated() {
        let (base, tuned) = (tensor.models[0][index], tensor.models[1][index])
        whole += abs(tuned - base)
        kept += abs(value - base)
        if value != base, abs(tuned - base) > 1e-3 {
          factors.insert(Float(((value - base) / (tuned - base) * 1000).rounded()))
        }
      }
    }
    #expect(abs(kept / whole - 1) < 1e-4)
    #expect(factors.count <= 3, "one factor, but for rounding: \(factors)")
  }
}
