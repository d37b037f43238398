// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Testing

@Suite("Recipes that are wrong")
struct RecipeErrorTests {
  struct Wrong: Sendable, CustomTestStringConvertible {
    let text: String
    let findings: [String]
    var testDescription: String { findings.joined(separator: "; ") }

    init(_ text: String, _ findings: String...) {
      self.text = text
      self.findings = findings
    }
  }

  /// What is found in a recipe: errors, or the warnings of a recipe that is accepted.
  static func findings(_ text: String) -> [Diagnostic] {
    do { return try Recipe(text).findings } catch { return error.diagnostics }
  }

  static let models = "merge_method: linear\nmodels: [{model: a}]\n"

  static let document: [Wrong] = [
    Wrong("", "error: the recipe is empty"),
    Wrong("# only a remark\n", "error: the recipe is empty"),
    Wrong(models + "---\n" + models, "4:1 error: there is more than one recipe in the file"),
    Wrong("- a", "1:1 error: a recipe is a mapping that begins with \"merge_method:\""),
    Wrong("linear", "1:1 error: a recipe is a mapping that begins with \"merge_method:\""),
    Wrong("models: [{model: a}]", "error: there is no \"merge_method\""),
    Wrong("merge_method: 5\nmodels: [{model: a}]", "1:15 error: \"merge_method\" is a text"),
    Wrong("merge_method: [a]\nmodels: [{model: a}]", "1:15 error: \"merge_method\" is a text"),
  ]

  static let bodies: [Wrong] = [
    Wrong(
      "merge_method: a",
      "error: one of \"models\", \"slices\" and \"modules\" has to say what is merged"),
    Wrong(
      "merge_method: a\nmodels: []\nslices: []\nmodules: {}",
      "error: one of \"models\", \"slices\" and \"modules\" has to say what is merged"),
    Wrong(
      models + "slices: [{sources: [{model: a, layer_range: [0, 1]}]}]",
      "3:9 error: \"models\" and \"slices\" cannot be used together"),
    Wrong("merge_method: a\nmodels: b", "2:9 error: \"models\" is a list of models"),
    Wrong("merge_method: a\nmodels: {model: b}", "2:9 error: \"models\" is a list of models"),
    Wrong("merge_method: a\nmodels: [b]", "2:10 error: each entry is a mapping"),
    Wrong("merge_method: a\nmodels: [{parameters: {w: 1}}]", "2:10 error: \"model\" is missing"),
    Wrong("merge_method: a\nslices: {sources: []}", "2:9 error: \"slices\" is a list"),
    Wrong(
      "merge_method: a\nslices: [{base_model: b}]", "2:10 error: a slice needs \"sources\""),
    Wrong(
      "merge_method: a\nslices: [{sources: []}]", "2:20 error: \"sources\" is a list of models"),
    Wrong(
      "merge_method: a\nslices: [{sources: [{model: b}]}]",
      "2:21 error: \"layer_range\" is missing"),
    Wrong(
      "merge_method: a\nslices: [{sources: [{model: b, layer_range: [0, 2]}, {model: c, layer_range: [1, 2]}]}]",
      "2:20 error: all sources of a slice must have the same number of layers, not 1 and 2"),
    Wrong(
      "merge_method: a\nslices: [{sources: [{model: b, layer_range: [0, 1]}], residual_weight: 0.5}]",
      "2:72 warning: \"residual_weight\" has no effect in any version of mergekit"),
    Wrong(
      "merge_method: a\nmodules: [b]",
      "2:10 error: \"modules\" is a mapping from names to what they are made of"),
    Wrong(
      "merge_method: a\nmodules: {m: {models: [{model: b}], slices: [{sources: [{model: b, layer_range: [0, 1]}]}]}}",
      "2:11 error: module \"m\" needs either \"models\" or \"slices\""),
    Wrong(
      "merge_method: a\nmodules: {m: {parameters: {x: 1}}}",
      "2:11 error: module \"m\" needs either \"models\" or \"slices\""),
  ]

  static let ranges: [Wrong] =
    ["[0]", "[0, 1, 2]", "4", "[0, x]", "[0, 1.5]", "{a: 1}", "[[0], 1]"].map {
      Wrong(
        "merge_method: a\nslices: [{sources: [{model: b, layer_range: \($0)}]}]",
        "2:45 error: \"layer_range\" is two whole numbers")
    }
    + [("[2, 0]", "2 to 0"), ("[1, 1]", "1 to 1"), ("[-1, 1]", "-1 to 1")].map {
      Wrong(
        "merge_method: a\nslices: [{sources: [{model: b, layer_range: \($0.0)}]}]",
        "2:45 error: layers \($0.1) are no layers")
    }

  static let references: [Wrong] =
    [
      ("a+b+", "\"a+b+\" has an empty model name"), ("a@b@c", "more than one \"@\" in \"a@b@c\""),
      ("a@", "\"a@\" has an empty revision"), ("'@x'", "\"@x\" has an empty model name"),
      ("''", "\"\" has an empty model name"), ("a+", "\"a+\" has an empty model name"),
      ("a+b@", "\"a+b@\" has an empty revision"),
      ("5", "a model is named by a text, or by a mapping with \"model\""),
      ("[a]", "a model is named by a text, or by a mapping with \"model\""),
      ("{path: x}", "a model is named by a text, or by a mapping with \"model\""),
    ].map { Wrong("merge_method: a\nmodels:\n  - model: \($0)", "3:12 error: \($1)") } + [
      Wrong(
        "merge_method: a\nmodels: [{model: {model: {revision: r}}}]",
        "2:26 error: \"path\" is missing"),
      Wrong("\(models)base_model: a@b@c", "3:13 error: more than one \"@\" in \"a@b@c\""),
    ]

  static let values: [Wrong] = [
    Wrong(models + "dtype: int8", "3:8 error: unknown dtype \"int8\""),
    Wrong(models + "out_dtype: b16", "3:12 error: unknown dtype \"b16\""),
    Wrong(models + "dtype: 16", "3:8 error: unknown dtype \"16\""),
    Wrong(models + "random_seed: -1", "3:14 error: \"random_seed\" is a whole number from 0 on"),
    Wrong(models + "random_seed: 1.5", "3:14 error: \"random_seed\" is a whole number from 0 on"),
    Wrong(models + "parameters: [1]", "3:13 error: \"parameters\" is a mapping"),
    Wrong(
      models + "parameters: {w: null}",
      "3:17 error: a parameter is a number, a truth value or a list of such"),
    Wrong(
      models + "parameters: {w: [1, [2]]}",
      "3:21 error: a parameter is a number, a truth value or a list of such"),
    Wrong(
      models + "parameters: {w: [1, {filter: x, value: 2}]}",
      "3:17 error: values with and without a filter are mixed"),
    Wrong(models + "parameters: {w: {filter: x}}", "3:17 error: \"value\" is missing"),
    Wrong(
      models + "parameters: {w: {filter: x, value: {value: 1}}}",
      "3:36 error: a value is a number or a list"),
    Wrong(
      models + "parameters: {w: {filter: x, value: [{value: 1}]}}",
      "3:36 error: a value is a number or a list"),
    Wrong(
      models + "chat_template: short",
      "3:16 error: \"short\" is neither the name of a chat template nor a template"),
    Wrong(
      models + "chat_template: a long text without any braces",
      "3:16 error: \"a long text without any braces\" is neither the name of a chat template nor a template"
    ),
    Wrong(models + "chat_template: 7", "3:16 error: \"chat_template\" is a text"),
  ]

  static let tokenizers: [Wrong] = [
    Wrong(
      models + "tokenizer: {source: union}\ntokenizer_source: union",
      "4:19 error: \"tokenizer\" and \"tokenizer_source\" cannot be used together"),
    Wrong(
      models + "tokenizer_source: 5",
      "3:19 error: a model is named by a text, or by a mapping with \"model\""),
    Wrong(models + "tokenizer: union", "3:12 error: a tokenizer is a mapping"),
    Wrong(
      models + "tokenizer: {pad_to_multiple_of: 0}",
      "3:33 error: \"pad_to_multiple_of\" is a whole number from 1 on, or \"keep\""),
    Wrong(
      models + "tokenizer: {tokens: [a]}",
      "3:21 error: \"tokens\" is a mapping from tokens to their sources"),
    Wrong(
      models + "tokenizer: {tokens: {x: {source: {kind: nil}}}}", "3:34 error: unknown kind \"nil\""
    ),
    Wrong(
      models + "tokenizer: {tokens: {x: {source: {kind: model_token, token: a}}}}",
      "3:34 error: \"model\" is missing"),
    Wrong(
      models + "tokenizer: {tokens: {x: {source: {kind: model_token, model: m}}}}",
      "3:34 error: a model token needs either \"token\" or \"token_id\""),
    Wrong(
      models
        + "tokenizer: {tokens: {x: {source: {kind: model_token, model: m, token: a, token_id: 1}}}}",
      "3:34 error: a model token needs either \"token\" or \"token_id\""),
  ]

  @Test(
    "Each mistake is told at its line and column",
    arguments: document + bodies + ranges + references + values + tokenizers)
  func tells(wrong: Wrong) {
    #expect(Self.findings(wrong.text).map(\.line) == wrong.findings)
  }

  @Test(
    "A misspelt key is an error that tells the right one, at every level",
    arguments: [
      (
        "merge_metod: a\nmerge_method: a\nmodels: [{model: a}]", "1:1", "merge_metod",
        "merge_method"
      ),
      (models + "basemodel: a", "3:1", "basemodel", "base_model"),
      (models + "out_dtyp: float32", "3:1", "out_dtyp", "out_dtype"),
      (
        "merge_method: a\nmodels: [{model: a, parmeters: {w: 1}}]", "2:21", "parmeters",
        "parameters"
      ),
      (
        "merge_method: a\nslices: [{sources: [{model: b, layer_range: [0, 1], layer_rang: 1}]}]",
        "2:53",
        "layer_rang", "layer_range"
      ),
      (
        "merge_method: a\nslices: [{sources: [{model: b, layer_range: [0, 1]}], source: 1}]",
        "2:55",
        "source", "sources"
      ),
      (models + "parameters: {w: {filtr: x, value: 1}}", "3:18", "filtr", "filter"),
      (models + "tokenizer: {sorce: union}", "3:13", "sorce", "source"),
      ("merge_method: a\nmodels: [{model: {model: a, loar: b}}]", "2:29", "loar", "lora"),
    ])
  func suggests(text: String, place: String, key: String, meant: String) {
    let found = Self.findings(text)
    #expect(found.map(\.line) == ["\(place) error: unknown key \"\(key)\""])
    #expect(found.first?.advice == "did you mean \"\(meant)\"?")
  }

  @Test("A key that resembles none has no effect and is a warning")
  func warns() {
    let found = Self.findings(Self.models + "write_readme: false")
    #expect(
      found.map(\.line) == [
        "3:1 warning: \"write_readme\" means nothing in a recipe and has no effect"
      ])
  }

  @Test("All mistakes are told at once, in the order of the recipe, those without a place last")
  func tellsAll() throws {
    let error = #expect(throws: RecipeError.self) {
      try Recipe(
        """
        dtype: b16
        models:
          - model: a@b@c
            parameters: {weight: null}
          - modle: b
        parameters: [1]
        random_seed: x
        """)
    }
    #expect(
      error?.diagnostics.map(\.line) == [
        "1:8 error: unknown dtype \"b16\"", "3:12 error: more than one \"@\" in \"a@b@c\"",
        "5:5 error: unknown key \"modle\"", "5:5 error: \"model\" is missing",
        "6:13 error: \"parameters\" is a mapping",
        "7:14 error: \"random_seed\" is a whole number from 0 on",
        "error: there is no \"merge_method\"",
      ])
    #expect(error?.file == "recipe.yml")
  }

  @Test("A place has an end just behind the last character")
  func tellsEnds() throws {
    let found = try #require(Self.findings(Self.models + "dtype: int8 # no").first)
    #expect(found.location == SourceLocation(line: 3, column: 8))
    #expect(found.end == SourceLocation(line: 3, column: 12))
  }

  @Test("What is not YAML is told where the parser gave up")
  func refusesNoYAML() {
    let found = Self.findings("merge_method: a\nmodels: [")
    #expect(found.count == 1)
    #expect(found.first?.severity == .error)
    #expect(found.first?.location != nil)
  }
}
