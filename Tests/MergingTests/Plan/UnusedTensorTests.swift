// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("The coverage report")
struct UnusedTensorTests {
  /// The reasons for what a plan of the models leaves out, by model and tensor; every tensor of every model has to
  /// be either read or listed.
  private func reasons(
    _ models: [(name: String, model: TinyModel)], _ recipe: String
  ) async throws -> [String: UnusedTensor.Reason] {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      for (name, model) in models { try bench.add(name, model) }
      let plan = try await bench.plan(recipe)
      let read = Set(
        plan.steps.flatMap(\.inputs).map { "\(plan.models[$0.model].name) \($0.tensor.info.name)" })
      let reasons = Dictionary(
        plan.unused.map { ("\(plan.models[$0.model].name) \($0.name)", $0.reason) },
        uniquingKeysWith: { one, _ in one })
      let all = plan.models.flatMap { model in model.checkpoint.names.map { "\(model.name) \($0)" }
      }
      #expect(read.isDisjoint(with: reasons.keys))
      #expect(read.union(reasons.keys) == Set(all))
      return reasons
    }
  }

  @Test("Of stacked layers it tells those that are not taken, and what other sources give")
  func stacked() async throws {
    let recipe = """
      merge_method: passthrough
      slices:
        - sources: [{model: a, layer_range: [0, 1]}]
        - sources: [{model: b, layer_range: [1, 2]}]
      """
    let reasons = try await reasons([("a", TinyModel(1)), ("b", TinyModel(2))], recipe)
    #expect(
      reasons == [
        "a model.layers.1.mlp.up.weight": .layerNotTaken,
        "a model.layers.1.self_attn.q.weight": .layerNotTaken,
        "a model.norm.weight": .takenFromOthers, "a lm_head.weight": .takenFromOthers,
        "b model.layers.0.mlp.up.weight": .layerNotTaken,
        "b model.layers.0.self_attn.q.weight": .layerNotTaken,
        "b model.embed_tokens.weight": .takenFromOthers,
      ])
  }

  @Test(
    "Of merged models it tells heads that are the embedding, tables, and what has no counterpart")
  func merged() async throws {
    var a = TinyModel(1)
    a.config = a.config?.replacing(
      "\"vocab_size\"", with: "\"tie_word_embeddings\":true,\"vocab_size\"")
    a["lm_head.weight"] = a["model.embed_tokens.weight"].map {
      .init("lm_head.weight", $0.info.shape, .f32, $0.values)
    }
    var b = a
    b["extra"] = .init("extra", [1], .f32, [1])
    let table: TensorName = "model.layers.0.self_attn.rotary_emb.inv_freq"
    b[table] = .init(table, [2], .f32, [3, 4])
    let recipe = """
      merge_method: linear
      base_model: base
      parameters: {weight: 1}
      models: [{model: a}, {model: b}]
      """
    let reasons = try await reasons([("a", a), ("b", b), ("base", TinyModel(head: false))], recipe)
    #expect(reasons["b extra"] == .noCounterpart)
    #expect(reasons["b \(table)"] == .buffer)
    #expect(reasons["a lm_head.weight"] == .tiedHead)
    #expect(reasons["b lm_head.weight"] == .tiedHead)
    #expect(reasons.filter { $0.key.hasPrefix("base ") }.values.allSatisfy { $0 == .notMerged })
    #expect(reasons.count == 4 + 6)
  }
}
