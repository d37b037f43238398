// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Plans")
struct PlannerTests {
  static let linear =
    "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]"

  @Test("Every tensor has a step, in counting order, with its inputs in the recipe's order")
  func plansWholeModels() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(Self.linear)
      #expect(
        plan.steps.map(\.output.name) == [
          "lm_head.weight", "model.embed_tokens.weight", "model.layers.0.mlp.up.weight",
          "model.layers.0.self_attn.q.weight", "model.layers.1.mlp.up.weight",
          "model.layers.1.self_attn.q.weight", "model.norm.weight",
        ])
      #expect(plan.steps.allSatisfy { $0.inputs.map(\.model) == [0, 1] })
      #expect(plan.steps.allSatisfy { $0.output.dtype == .f32 && $0.computing == .f32 })
      #expect(plan.layout.tensors == plan.steps.map(\.output))
      #expect((plan.parameterCount, plan.inputBytes) == (34, 2 * 4 * 34))
      #expect(plan.donor == 0)
      #expect(plan.models.map(\.isBase) == [false, false])
      #expect(plan.warnings.isEmpty && plan.layers.isEmpty)
    }
  }

  @Test("A base is appended where the method gives it a role, and is the donor")
  func appendsBase() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(
        "merge_method: ties\nbase_model: base\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]"
      )
      #expect(plan.models.map(\.name) == ["a", "b", "base"])
      #expect(plan.models.map(\.isBase) == [false, false, true])
      #expect(plan.donor == 2)
      #expect(plan.steps[0].inputs.map(\.model) == [0, 1, 2])
      #expect(plan.steps[0].parameters.number("weight", of: 2) == nil)
    }
  }

  @Test("Gradients run over the layers of the stack; tensors outside are at its start")
  func placesLayers() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(layers: 5))
      try bench.add("one", TinyModel(layers: 1))
      func weights(_ model: String) async throws -> [Double?] {
        try await bench.plan(
          "merge_method: linear\nparameters: {weight: [1, 3]}\nmodels: [{model: \(model)}]"
        ).steps.map { $0.parameters.number("weight", of: 0) }
      }
      #expect(try await weights("a") == [1, 1, 1, 1, 1.5, 1.5, 2, 2, 2.5, 2.5, 3, 3, 1])
      #expect(try await weights("one") == [1, 1, 3, 3, 1])
    }
  }

  @Test(
    "A model's own value comes before the slice's, that before the recipe's; unset falls through")
  func resolvesParameters() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(
        """
        merge_method: linear
        parameters: {weight: 4, normalize: false}
        slices:
          - sources:
              - {model: a, layer_range: [0, 1], parameters: {weight: [{filter: mlp, value: 1}]}}
              - {model: b, layer_range: [0, 1]}
            parameters: {weight: [{filter: mlp, value: 2}, {filter: norm, value: 3}], normalize: true}
          - sources:
              - {model: a, layer_range: [1, 2]}
              - {model: b, layer_range: [1, 2], parameters: {weight: 5}}
        """)
      func weights(_ name: TensorName) -> [Double?] {
        let step = plan.steps.first { $0.output.name == name }
        return [0, 1].map { step?.parameters.number("weight", of: $0) }
      }
      #expect(weights("model.layers.0.mlp.up.weight") == [1, 2])
      #expect(weights("model.layers.0.self_attn.q.weight") == [4, 4])
      #expect(weights("model.layers.1.mlp.up.weight") == [4, 5])
      #expect(weights("model.embed_tokens.weight") == [4, 4])
      #expect(weights("model.norm.weight") == [4, 5])
      #expect(
        plan.steps.map { $0.parameters.flag("normalize") }
          == [false, true, true, true, false, false, false])
    }
  }

  @Test(
    "Filters of the method are compared with the output's name, a model's with its own tensor's")
  func filtersByName() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(
        """
        merge_method: linear
        parameters:
          normalize: [{filter: layers.0., value: false}, {value: true}]
          weight: 1
        slices:
          - sources: [{model: a, layer_range: [1, 2], parameters: {weight: [{filter: layers.1., value: 7}]}}]
        """)
      let step = try #require(plan.steps.first { $0.output.name == "model.layers.0.mlp.up.weight" })
      #expect(step.inputs[0].tensor.info.name == "model.layers.1.mlp.up.weight")
      #expect(step.parameters.number("weight", of: 0) == 7)
      #expect(step.parameters.flag("normalize") == false)
    }
  }

  @Test("Stacked layers: names, origins, runs; what is outside comes from the first or last slice")
  func stacksLayers() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(
        """
        merge_method: passthrough
        slices:
          - sources: [{model: a, layer_range: [0, 2]}]
          - sources: [{model: b, layer_range: [1, 2]}]
          - sources: [{model: base, layer_range: [0, 2]}]
        """)
      let origins = plan.steps.map { step in
        "\(step.output.name) \(step.inputs[0].model) \(step.inputs[0].tensor.info.name)"
      }
      #expect(
        origins.filter { $0.hasPrefix("model.layers") && $0.contains("mlp") } == [
          "model.layers.0.mlp.up.weight 0 model.layers.0.mlp.up.weight",
          "model.layers.1.mlp.up.weight 0 model.layers.1.mlp.up.weight",
          "model.layers.2.mlp.up.weight 1 model.layers.1.mlp.up.weight",
          "model.layers.3.mlp.up.weight 2 model.layers.0.mlp.up.weight",
          "model.layers.4.mlp.up.weight 2 model.layers.1.mlp.up.weight",
        ])
      #expect(origins.contains("model.embed_tokens.weight 0 model.embed_tokens.weight"))
      #expect(origins.contains("model.norm.weight 2 model.norm.weight"))
      #expect(origins.contains("lm_head.weight 2 lm_head.weight"))
      #expect(plan.layers.map(\.output) == [0..<2, 2..<3, 3..<5])
      #expect(plan.layers.map { $0.sources.map(\.model) } == [[0], [1], [2]])
      #expect(plan.layers.map { $0.sources.map(\.layers) } == [[0..<2], [1..<2], [0..<2]])
      #expect(plan.config?.root.json["num_hidden_layers"] == 5)
    }
  }

  @Test("The last slice may have more sources than the first, and all count for what comes after")
  func countsSourcesOfLastSlice() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(
        """
        merge_method: linear
        parameters: {weight: 1}
        slices:
          - sources: [{model: a, layer_range: [0, 1]}]
          - sources: [{model: a, layer_range: [1, 2]}, {model: b, layer_range: [1, 2]}]
        """)
      let inputs = plan.steps.map(\.inputs.count)
      #expect(inputs == [2, 1, 1, 1, 2, 2, 2])
    }
  }

  @Test("Each slice may have a base of its own")
  func takesBaseOfSlice() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(
        """
        merge_method: slerp
        parameters: {t: 0.5}
        slices:
          - {base_model: a, sources: [{model: a, layer_range: [0, 1]}, {model: b, layer_range: [0, 1]}]}
          - {base_model: base, sources: [{model: b, layer_range: [1, 2]}, {model: base, layer_range: [1, 2]}]}
        """)
      #expect(plan.models.map(\.isBase) == [true, false, true])
      #expect(plan.steps.count == 7)
    }
  }

  @Test("A module that is not listed is taken from the donor as it is, and that is told")
  func plansModules() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      for (name, value) in [("a", 1.0), ("b", 2.0)] {
        var model = TinyModel(value)
        for layer in 0..<2 {
          let name: TensorName = "vision.blocks.\(layer).w"
          model[name] = .init(name, [1], .f32, [value])
        }
        try bench.add(name, model)
      }
      let recipe = """
        merge_method: linear
        parameters: {weight: 1}
        modules:
          vision: {models: [{model: a}, {model: b}]}
        """
      let plan = try await bench.plan(recipe)
      let merged = plan.steps.filter { if case .merge = $0.action { true } else { false } }
      #expect(merged.map(\.output.name) == ["vision.blocks.0.w", "vision.blocks.1.w"])
      #expect(plan.steps.count == 9)
      #expect(
        plan.warnings.map(\.message) == [
          "7 tensors belong to no module of the recipe and are taken from a as they are: "
            + "lm_head.weight, model.embed_tokens.weight, model.layers.0.mlp.up.weight, …"
        ])
    }
  }

  @Test(
    "A model without a head lends its embedding for it, and config.json tells that one is written")
  func plansTiedHeads() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(1))
      try bench.add("b", TinyModel(2, head: false))
      let plan = try await bench.plan(Self.linear)
      let head = try #require(plan.steps.first { $0.output.name == "lm_head.weight" })
      #expect(
        head.inputs.map(\.tensor.info.name) == ["lm_head.weight", "model.embed_tokens.weight"])
      let reversed = try await bench.plan(
        "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: b}, {model: a}]")
      #expect(reversed.steps.count == 7)
      #expect(reversed.warnings.isEmpty)
      let config = try #require(reversed.config)
      #expect(config.root.json["tie_word_embeddings"]?.bool == false)
    }
  }

  @Test("A model whose configuration says that its head is not the embedding must have one")
  func refusesUntiedModelWithoutHead() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(1))
      var other = TinyModel(2, head: false)
      other.config = #"{"architectures":["TinyForCausalLM"],"tie_word_embeddings":false}"#
      try bench.add("b", other)
      #expect(
        try await bench.errors(Self.linear).map(\.message) == ["b has no tensor lm_head.weight"])
    }
  }

  @Test("Tables that one model lacks are copied from the other; integers are copied, not averaged")
  func copiesBuffers() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      var a = TinyModel(1)
      let table: TensorName = "model.layers.0.self_attn.rotary_emb.inv_freq"
      a[table] = .init(table, [2], .f32, [3, 4])
      a["steps"] = .init("steps", [2], .i64, [5, 9])
      var b = TinyModel(2)
      b["steps"] = .init("steps", [2], .i64, [7, 11])
      try bench.add("a", a)
      try bench.add("b", b)
      let result = try await bench.merge(Self.linear)
      #expect(result[table]?.values == [3, 4])
      #expect(result["steps"]?.values == [5, 9])
      #expect(result["steps"]?.info.dtype == .i64)
    }
  }

  @Test("What only another model has is left out and told")
  func tellsLeftovers() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(1))
      var b = TinyModel(2)
      b["extra"] = .init("extra", [1], .f32, [1])
      try bench.add("b", b)
      let plan = try await bench.plan(Self.linear)
      #expect(
        plan.warnings.map(\.message) == ["1 tensors of b are not in a and are left out: extra"])
    }
  }
}
