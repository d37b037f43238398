// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Testing

/// Cards as they are, whole: look at `Tests/Goldens/cards` to see what a change does to them.
@Suite("Whole cards")
struct CardGoldenTests {
  private static let recipes = [
    "linear": """
    merge_method: linear
    models:
      - model: org/math
        parameters: {weight: [0, 0.5, 1]}
      - model: org/code
        parameters:
          weight:
            - {filter: mlp, value: 0.25}
            - value: 0.75
    dtype: bfloat16

    """,
    "dare_ties": """
    # Names such as <b>|`this`| stay what they are.
    merge_method: dare_ties
    base_model: org/base
    models:
      - {model: org/math, parameters: {weight: 0.5, density: 0.53}}
      - {model: local, parameters: {weight: 0.5, density: 0.53}}
    parameters: {normalize: true}
    dtype: bfloat16
    random_seed: 42

    """,
    "passthrough": """
    merge_method: passthrough
    slices:
      - sources: [{model: org/math, layer_range: [0, 3]}]
      - sources: [{model: org/code, layer_range: [1, 4]}]
    dtype: float16

    """,
    "lora": """
    merge_method: linear
    models:
      - {model: org/base+org/lora, parameters: {weight: 1}}
    dtype: bfloat16

    """,
  ]

  @Test(
    "of every template and several recipes are what they were",
    arguments: CardTemplate.builtinNames, recipes.keys.sorted())
  func golden(template: String, recipe: String) async throws {
    let facts = try await Self.facts(recipe)
    let card = try #require(try CardTemplate(builtin: template)).render(facts)
    #expect(try ModelCard(parsing: card).problems.isEmpty)
    #expect(!card.contains("/tmp/") && !card.contains("127.0.0.1"))

    let path = Self.folder.appending("\(recipe).\(template).md")
    guard FileSystem.exists(path) else {
      try FileSystem.write(card, to: path)
      Issue.record("there was no \(path.lastComponent?.string ?? ""): it is written, look at it")
      return
    }
    #expect(
      card == String(decoding: try FileSystem.read(path), as: UTF8.self),
      "if the new one is better, remove \(path) and run again")
  }

  private static func facts(_ recipe: String) async throws -> CardFacts {
    try await withTemporaryFolder { folder in
      let plan = try await Planner.plan(
        Recipe(parsing: Array((recipes[recipe] ?? "").utf8), file: "recipe.yml"),
        from: PublishedModels(in: folder), options: PlanOptions())
      var facts = CardFacts(
        plan, title: "My_merge", repository: recipe == "lora" ? nil : "me/My_merge",
        endpoint: "http://127.0.0.1:8080", toolVersion: "1.0.0")
      if recipe == "linear" {
        facts.results = try EvaluationResults(harnessFile: Array(harness.utf8))
      }
      if recipe == "dare_ties" {
        facts.pictures = [.init(title: "Distance from the base", path: "report/distance.svg")]
        facts.provenance = [
          .init(kind: "recipe", name: "mergekit_config.yml", digest: "sha256:00ff"),
          .init(kind: "weights", name: "model.safetensors", digest: "sha256:ff00"),
        ]
      }
      return facts
    }
  }

  private static let harness = """
    {"results": {
      "hellaswag": {"alias": "hellaswag", "acc,none": 0.5, "acc_stderr,none": 0.0049, "acc_norm,none": 0.66142},
      "gsm8k": {"exact_match,strict-match": 0.25, "exact_match_stderr,strict-match": "N/A"}},
     "configs": {
      "hellaswag": {"dataset_path": "Rowan/hellaswag", "validation_split": "validation"},
      "gsm8k": {"dataset_path": "openai/gsm8k", "dataset_name": "main", "test_split": "test"}},
     "n-shot": {"hellaswag": 0, "gsm8k": 5}}
    """

  private static let folder = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("Goldens").appending("cards")
}
