// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Testing
import Weights

extension Recipe {
  /// A recipe from its text.
  init(_ text: String) throws(RecipeError) {
    try self.init(parsing: Array(text.utf8), file: "recipe.yml")
  }
}

extension Diagnostic {
  /// `line:column severity: message`, the place left out if there is none.
  var line: String {
    (location.map { "\($0) " } ?? "") + "\(severity.rawValue): \(message)"
  }
}

@Suite("Recipes that are right")
struct RecipeTests {
  @Test("Whole models with everything that can stand at the top")
  func readsModels() throws {
    let text = """
      merge_method: ties
      models:
        - model: org/a@main
          parameters: {weight: 0.5, density: [0, 1]}
        - model: {model: {path: dir, revision: r}, lora: l@x, override_architecture: X}
      base_model: org/base
      dtype: bfloat16
      out_dtype: torch.float32
      parameters:
        normalize: true
      tokenizer_source: union
      chat_template: auto
      random_seed: 7
      name: tolerated
      """
    let recipe = try Recipe(text)
    #expect(recipe.method == "ties")
    #expect(recipe.file == "recipe.yml")
    #expect(recipe.text == text)
    #expect((recipe.dtype, recipe.outputDType) == (.bf16, .f32))
    #expect(recipe.seed == 7)
    #expect(recipe.chatTemplate == "auto")
    #expect(recipe.tokenizer?.source == .union)
    #expect(recipe.base == ModelReference(path: "org/base"))
    #expect(recipe.findings.isEmpty)
    #expect(
      recipe.models == [
        ModelReference(path: "org/a", revision: "main"),
        ModelReference(
          path: "dir", revision: "r", adapters: [.init(path: "l", revision: "x")], architecture: "X"
        ),
        ModelReference(path: "org/base"),
      ])
    guard case .models(let sources) = recipe.body else {
      Issue.record("not models")
      return
    }
    #expect(sources[0].layers == nil)
    #expect(sources[0].parameters.entries.map(\.name) == ["weight", "density"])
    #expect(sources[0].parameters["density"]?.setting.values == [0, 1])
  }

  @Test("Slices with sources, ranges and bases of their own")
  func readsSlices() throws {
    let recipe = try Recipe(
      """
      merge_method: slerp
      slices:
        - sources:
            - {model: a, layer_range: [0, 4]}
            - {model: b, layer_range: ["2", "6"]}
          base_model: a
          parameters: {t: 0.5}
        - sources: [{model: c, layer_range: [7, 8]}]
      models: []
      modules: {}
      """)
    guard case .slices(let slices) = recipe.body else {
      Issue.record("not slices")
      return
    }
    #expect(slices.map { $0.sources.map(\.layers) } == [[0..<4, 2..<6], [7..<8]])
    #expect(slices[0].base == ModelReference(path: "a"))
    #expect(slices[0].parameters["t"]?.setting.values == [0.5])
    #expect(recipe.models.map(\.path) == ["a", "b", "c"])
  }

  @Test("Modules of either form")
  func readsModules() throws {
    let recipe = try Recipe(
      """
      merge_method: linear
      modules:
        text_decoder:
          slices: [{sources: [{model: a, layer_range: [0, 1]}]}]
          parameters: {weight: 1}
        vision_tower: {models: [{model: b}]}
      """)
    guard case .modules(let modules) = recipe.body else {
      Issue.record("not modules")
      return
    }
    #expect(modules.map(\.name) == ["text_decoder", "vision_tower"])
    #expect(modules[0].parameters["weight"]?.setting.values == [1])
    #expect(recipe.models.map(\.path) == ["a", "b"])
  }

  @Test("Models count once, those of the tokenizer and of slices included")
  func listsModels() throws {
    let recipe = try Recipe(
      """
      merge_method: linear
      base_model: b
      slices:
        - {sources: [{model: a, layer_range: [0, 1]}], base_model: s}
        - {sources: [{model: a, layer_range: [0, 1]}], base_model: b}
      tokenizer:
        source: t
        tokens:
          x: {source: u, force: true}
          y: {source: {kind: zero}}
          z: {source: {kind: model_token, model: v, token: q}}
          w: {source: {kind: model_token, model: a, token_id: 3}}
          n: {force: false}
        pad_to_multiple_of: 64
      """)
    #expect(recipe.models.map(\.path) == ["a", "s", "b", "t", "u", "v"])
    let tokens = recipe.tokenizer?.tokens ?? []
    #expect(
      tokens.map(\.source) == [
        .model(ModelReference(path: "u")), .zero, .token("q", of: ModelReference(path: "v")),
        .tokenID(3, of: ModelReference(path: "a")), nil,
      ])
    #expect(tokens.map(\.isForced) == [true, false, false, false, false])
    #expect(recipe.tokenizer?.padToMultipleOf == 64)
  }

  @Test("null counts as not given, everywhere")
  func readsNull() throws {
    let recipe = try Recipe(
      """
      merge_method: linear
      models:
        - {model: a, parameters: null}
      slices: null
      base_model:
      dtype: ~
      out_dtype: null
      parameters:
      tokenizer:
      tokenizer_source: null
      chat_template: null
      """)
    #expect(recipe.base == nil && recipe.dtype == nil && recipe.tokenizer == nil)
    #expect(recipe.findings.isEmpty)
  }

  @Test(
    "dtypes by the names that people write",
    arguments: [
      ("bfloat16", DType.bf16), ("torch.bfloat16", .bf16), ("bf16", .bf16), ("float16", .f16),
      ("fp16", .f16), ("half", .f16), ("float32", .f32), ("fp32", .f32), ("float", .f32),
      ("float64", .f64), ("double", .f64),
    ])
  func readsDTypes(name: String, dtype: DType) throws {
    #expect(try Recipe("merge_method: a\nmodels: [{model: m}]\ndtype: \(name)").dtype == dtype)
  }

  @Test("Parameters keep the type that YAML gives them")
  func keepsTypes() throws {
    let recipe = try Recipe(
      """
      merge_method: a
      models: [{model: m}]
      parameters: {int: 1, float: 0.5, yes: yes, text: 1e-5, list: [1, 2.5, off], hex: 0x10}
      """)
    let values = recipe.parameters.entries.map(\.setting.values)
    #expect(values == [[1], [0.5], [true], ["1e-5"], [1, 2.5, false], [16]])
  }

  @Test("A parameter by name of tensor, in a list or alone")
  func readsFilters() throws {
    let recipe = try Recipe(
      """
      merge_method: a
      models: [{model: m}]
      parameters:
        one: {filter: mlp, value: 1}
        list:
          - {filter: attn, value: [1, 2]}
          - value: 3
        number: [{filter: 1, value: 1}]
      """)
    func value(_ name: String, _ tensor: String) -> ParameterValue? {
      recipe.parameters[name]?.setting.evaluated(name: tensor, position: 1, kind: .number)
    }
    #expect(value("one", "a.mlp.b") == 1)
    #expect(value("one", "a.attn.b") == nil)
    #expect(value("list", "a.attn.b") == 2.0)
    #expect(value("list", "x") == 3)
    #expect(value("number", "layers.1.x") == 1)
    #expect(recipe.parameters["list"]?.setting.values == [1, 2, 3])
  }

  @Test(
    "A chat template is auto, a name or Jinja",
    arguments: ["auto", "chatml", "{% for a in b %}{{ a }}"])
  func readsChatTemplates(template: String) throws {
    let recipe = try Recipe(
      "merge_method: a\nmodels: [{model: m}]\nchat_template: \"\(template)\"")
    #expect(recipe.chatTemplate == template)
  }
}
