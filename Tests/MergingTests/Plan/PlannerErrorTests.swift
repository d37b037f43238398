// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Plans that cannot be made")
struct PlannerErrorTests {
  /// A folder with three models of one build: a, b and base.
  static func withModels(_ body: (TinyBench) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(1))
      try bench.add("b", TinyModel(2))
      try bench.add("base", TinyModel(0.5))
      try await body(bench)
    }
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let recipe: String
    let findings: [String]
    var testDescription: String { findings.joined(separator: "; ") }

    init(_ recipe: String, _ findings: String...) {
      self.recipe = recipe
      self.findings = findings
    }
  }

  static let mistakes: [Wrong] = [
    Wrong(
      "merge_method: linaer\nmodels: [{model: a}]", "1:15 error: unknown merge method \"linaer\""),
    Wrong(
      "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b}]",
      "2:55 error: linear needs \"weight\" for b: the model's share"),
    Wrong(
      "merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}]",
      "1:15 error: slerp needs \"t\": the way from the base (0) to the other model (1)"),
    Wrong(
      "merge_method: ties\nmodels: [{model: a, parameters: {weight: 1}}]",
      "1:15 error: ties needs a base model"),
    Wrong(
      "merge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\nmodels: [{model: a}, {model: b}, {model: base}]",
      "4:10 error: slerp takes exactly 1 model beside the base, not 2"),
    Wrong(
      "merge_method: passthrough\nmodels: [{model: a}, {model: b}]",
      "2:10 error: passthrough takes exactly 1 model, not 2"),
    Wrong(
      "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: a}]",
      "3:30 error: a is listed twice"),
    Wrong(
      "merge_method: slerp\nbase_model: base\nparameters: {t: 0.5}\nslices: [{sources: [{model: a, layer_range: [0, 2]}]}]",
      "4:21 error: the base model base is not among the sources of the slice"),
    Wrong(
      "merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [1, 3]}]}]",
      "2:45 error: a has only 2 layers, so there is no layer 2"),
    Wrong(
      "merge_method: linear\nparameters: {weight: x}\nmodels: [{model: a}]",
      "2:22 error: \"weight\" is a number, not \"x\""),
    Wrong(
      "merge_method: linear\nparameters: {weight: 1, normalize: 0.5}\nmodels: [{model: a}]",
      "2:36 error: \"normalize\" is true or false, not \"0.5\""),
    Wrong(
      "merge_method: ties\nbase_model: base\nparameters: {weight: 1, density: 1.5}\nmodels: [{model: a}]",
      "3:34 error: \"density\" 1.5 is outside 0...1"),
    Wrong(
      "merge_method: linear\nmodels: [{model: a, parameters: {wieght: 1}}]\nparameters: {weight: 1}",
      "2:34 error: unknown parameter \"wieght\""),
    Wrong(
      "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: -1}}]",
      "2:42 error: the weights sum to zero and cannot be normalized"),
    Wrong(
      "merge_method: linear\nmodules: {tail: {models: [{model: a, parameters: {weight: 1}}]}}",
      "2:11 error: a has no module \"tail\"",
      "warning: 7 tensors belong to no module of the recipe and are taken from a as they are: "
        + "lm_head.weight, model.embed_tokens.weight, model.layers.0.mlp.up.weight, …"),
  ]

  @Test("Each mistake is told at its place", arguments: mistakes)
  func tells(wrong: Wrong) async throws {
    try await Self.withModels { bench in
      let lines = try await bench.errors(wrong.recipe).map(\.line)
      #expect(lines == wrong.findings)
    }
  }

  static let slips: [Wrong] = [
    Wrong(
      "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a, parameters: {normalize: false}}]",
      "3:34 warning: \"normalize\" is a parameter of the method and has no effect on a single model"
    ),
    Wrong(
      "merge_method: linear\nparameters: {weight: 1, density: 0.5}\nmodels: [{model: a}]",
      "2:25 warning: \"density\" is no parameter of linear and has no effect"),
    Wrong(
      "merge_method: linear\nparameters: {weight: 1, whatever: 0.5}\nmodels: [{model: a}]",
      "2:25 warning: \"whatever\" is no parameter of linear and has no effect"),
    Wrong(
      "merge_method: ties\nbase_model: base\nmodels: [{model: base, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]",
      "3:37 warning: \"weight\" has no effect on the base model"),
    Wrong(
      "merge_method: linear\nbase_model: base\nparameters: {weight: 1}\nmodels: [{model: a}]",
      "2:13 warning: linear does not merge the base model; it only gives configuration and tokenizer"
    ),
  ]

  @Test("What has no effect is a warning", arguments: slips)
  func warns(slip: Wrong) async throws {
    try await Self.withModels { bench in
      let plan = try await bench.plan(slip.recipe)
      #expect(plan.warnings.map(\.line) == slip.findings)
    }
  }

  @Test(
    "Models that do not fit one another",
    arguments: ["shape", "missing", "depth", "architecture", "vocabulary"])
  func tellsMisfits(kind: String) async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(1))
      var other = TinyModel(2)
      let expected: String
      switch kind {
      case "shape":
        other["model.norm.weight"] = .init("model.norm.weight", [3], .f32, [1, 2, 3])
        expected = "error: model.norm.weight differs in shape: [2] in a, [3] in b"
      case "missing":
        other["model.norm.weight"] = nil
        expected = "error: b has no tensor model.norm.weight"
      case "depth":
        other = TinyModel(layers: 3, 2)
        expected = "error: b has 3 layers, not 2 as the others"
      case "architecture":
        other = TinyModel(2, architecture: "OtherForCausalLM")
        expected = "error: b is a OtherForCausalLM, but a is a TinyForCausalLM"
      default:
        other["lm_head.weight"] = .init(
          "lm_head.weight", [5, 2], .f32, Array(repeating: 1, count: 10))
        expected = "error: the vocabularies differ: a has 4 rows, b has 5"
      }
      try bench.add("b", other)
      let recipe =
        "merge_method: linear\nparameters: {weight: 1}\nmodels:\n  - model: a\n  - model: b"
      let found = try await bench.errors(recipe)
      #expect(found.map(\.line) == ["5:12 \(expected)"])
      #expect(found.first?.advice?.contains("tokenizer") == (kind == "vocabulary"))
    }
  }

  @Test("Architectures may be mixed if the user insists, or says that they are one")
  func mixesArchitectures() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(1))
      try bench.add("b", TinyModel(2, architecture: "Other"))
      let recipe = "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]"
      var options = PlanOptions()
      options.allowsMixedArchitectures = true
      #expect(try await bench.plan(recipe, options).steps.count == 7)
      let renamed = recipe.replacing(
        "{model: b}", with: "{model: {model: b, override_architecture: TinyForCausalLM}}")
      #expect(try await bench.plan(renamed).steps.count == 7)
    }
  }

  @Test("Several mistakes in one recipe are told together")
  func tellsAll() async throws {
    try await Self.withModels { bench in
      let lines = try await bench.errors(
        """
        merge_method: linear
        models:
          - {model: a, parameters: {wieght: 1}}
          - {model: b, parameters: {weight: x}}
        """
      ).map(\.line)
      #expect(
        lines == [
          "3:13 error: linear needs \"weight\" for a: the model's share",
          "3:29 error: unknown parameter \"wieght\"",
          "4:37 error: \"weight\" is a number, not \"x\"",
        ])
    }
  }

  @Test("What is wrong with the recipe is told with the models that are not there")
  func tellsBoth() async throws {
    try await Self.withModels { bench in
      let error = await #expect(throws: UnavailableModels.self) {
        try await bench.plan(
          "merge_method: ties\nmodels: [{model: none, parameters: {densty: 1}}, {model: gone}]")
      }
      #expect(error?.failures.map(\.model.path) == ["none", "gone"])
      #expect(
        error?.findings.map(\.line) == [
          "1:15 error: ties needs a base model", "2:37 error: unknown parameter \"densty\"",
        ])
    }
  }

  @Test("All models are opened at the same time")
  func opensAtOnce() async throws {
    /// Answers only when it has been asked for both models.
    actor Gate: ModelSource {
      let source: FolderSource
      private var asked = 0
      init(_ source: FolderSource) { self.source = source }

      func model(_ reference: ModelReference) async throws -> SourceModel {
        asked += 1
        for _ in 0..<2000 where asked < 2 { try await Task.sleep(for: .milliseconds(5)) }
        guard asked == 2 else { throw CancellationError() }
        return try await source.model(reference)
      }

      func fetchWeights(of model: SourceModel) async throws {}
    }
    try await Self.withModels { bench in
      let recipe = "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: b}, {model: a}]"
      let plan = try await Planner.plan(
        Recipe(recipe), from: Gate(FolderSource(root: bench.folder)))
      #expect(plan.models.map(\.name) == ["b", "a"])
    }
  }

  @Test("A model that is not there is told with its place in the recipe")
  func tellsMissingModels() async throws {
    try await Self.withModels { bench in
      let error = await #expect(throws: UnavailableModels.self) {
        try await bench.plan("merge_method: linear\nmodels: [{model: none}]")
      }
      #expect(error?.failures.map(\.model.path) == ["none"])
      #expect(error?.failures.first?.node?.location == SourceLocation(line: 2, column: 18))
    }
  }
}
