// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Weights

/// Something a user may get wrong, and what the program says to it.
private struct BadInput: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let status: Int32
  /// What the message has to contain.
  let words: [String]
  var recipe = Scene.linear
  var output = "out"
  var prepare: @Sendable (Scene) throws -> Void = { _ in }

  static let all: [BadInput] = [
    BadInput(
      testDescription: "a misspelt key", status: 65,
      words: ["recipe.yml:1:1: error:", "merge_metod", "did you mean \"merge_method\""],
      recipe: Scene.linear.replacing("merge_method:", with: "merge_metod:")),
    BadInput(
      testDescription: "an unknown method", status: 65,
      words: ["recipe.yml:1:15: error:", "linaer", "did you mean \"linear\""],
      recipe: Scene.linear.replacing("linear", with: "linaer")),
    BadInput(
      testDescription: "two missing models", status: 66,
      words: ["recipe.yml:3:12: error: nowhere/at/all", "recipe.yml:5:12: error: ./neither"],
      recipe: Scene.linear.replacing("model: a", with: "model: nowhere/at/all")
        .replacing("model: b", with: "model: ./neither")),
    BadInput(
      testDescription: "a missing tensor", status: 65, words: ["model.norm.weight", "b"],
      prepare: { scene in
        try FileSystem.remove(scene.path("b"))
        try ModelFixture(seed: 2).write(to: scene.path("b")) { $0.name != "model.norm.weight" }
      }),
    BadInput(
      testDescription: "a shape clash", status: 65,
      words: ["model.layers.0.mlp.up_proj.weight", "[12, 8]", "[20, 8]"],
      prepare: { scene in
        try FileSystem.remove(scene.path("b"))
        try ModelFixture(seed: 2).setting(\.intermediate, to: 20).write(to: scene.path("b"))
      }),
    BadInput(
      testDescription: "different architectures", status: 65, words: ["--allow-crimes", "Other"],
      prepare: { scene in
        try FileSystem.remove(scene.path("b"))
        try ModelFixture(seed: 2).setting(\.architecture, to: "OtherForCausalLM")
          .write(to: scene.path("b"))
      }),
    BadInput(
      testDescription: "a truncated shard", status: 65,
      words: ["recipe.yml:5:12: error: b:", "model.safetensors", "not a sound safetensors file"],
      prepare: { scene in
        let shard = scene.path("b/model.safetensors")
        let size = try FileSystem.size(shard)
        try File(shard, .createOrUpdate).truncate(to: size - 100)
      }),
    BadInput(
      testDescription: "a model without a config", status: 65,
      words: ["recipe.yml:5:12: error: b has no config.json"],
      prepare: { try FileSystem.remove($0.path("b/config.json")) }),
    BadInput(
      testDescription: "a model in GGUF only", status: 66,
      words: ["recipe.yml:5:12: error: b:", "safetensors", "model.gguf"],
      prepare: { scene in
        try FileSystem.remove(scene.path("b/model.safetensors"))
        try scene.write("GGUF", to: "b/model.gguf")
      }),
    BadInput(
      testDescription: "a recipe that is a list", status: 65, words: ["recipe.yml:1:1: error:"],
      recipe: "- 1\n- 2\n"),
    BadInput(
      testDescription: "an empty recipe", status: 65, words: ["recipe.yml", "empty"], recipe: ""),
    BadInput(
      testDescription: "two documents", status: 65,
      words: ["recipe.yml:9:1: error:", "more than one"],
      recipe: Scene.linear + "---\n" + Scene.linear),
    BadInput(
      testDescription: "an output that exists", status: 73,
      words: ["out exists already", "--overwrite"],
      prepare: { scene in
        try FileSystem.createFolder(scene.path("out"))
        try scene.write("precious", to: "out/file")
      }),
    BadInput(
      testDescription: "an output below a file", status: 73, words: ["recipe.yml/out"],
      output: "recipe.yml/out"),
    BadInput(
      testDescription: "no recipe", status: 66, words: ["there is no recipe recipe.yml"],
      prepare: { try FileSystem.remove($0.path("recipe.yml")) }),
    BadInput(
      testDescription: "a name that acts on terminals", status: 66,
      words: ["recipe.yml:5:12: error:", "\\u{1B}[2J"],
      recipe: Scene.linear.replacing("model: b", with: "model: \"b\\e[2J\"")),
  ]
}

@Suite struct BadInputTests {
  @Test(arguments: BadInput.all)
  private func `a mistake is told once, and nothing is left behind`(input: BadInput) async throws {
    try await Scene.with { scene in
      try scene.write(input.recipe, to: "recipe.yml")
      try input.prepare(scene)
      let before = try FileSystem.digests(below: scene.folder)
      let result = try await scene.runner.setting("HF_HUB_OFFLINE", to: "1")
        .run("merge", "recipe.yml", input.output)
      #expect(result.status == input.status, "\(result.errors)")
      #expect(result.output == "")
      for word in input.words { #expect(result.errors.contains(word), "\(result.errors)") }
      #expect(!result.errors.unicodeScalars.contains("\u{1b}"))
      let after = try FileSystem.digests(below: scene.folder)
      #expect(after.filter { !$0.key.hasPrefix("home/") } == before)
      #expect(try FileSystem.names(in: scene.folder).allSatisfy { !$0.contains(".hubmerge") })
    }
  }

  @Test func `all mistakes of a recipe are told at once`() async throws {
    try await Scene.with { scene in
      let recipe = Scene.linear.replacing("{weight: 0.5}", with: "{wieght: 0.5}")
      try scene.write(recipe, to: "recipe.yml")
      let result = try await scene.runner.run("plan", "recipe.yml")
      #expect(result.status == 65)
      #expect(result.errors.contains("recipe.yml:4:18: error:"), "\(result.errors)")
      #expect(result.errors.contains("recipe.yml:6:18: error:"), "\(result.errors)")
    }
  }

  @Test func `mistakes of form, of parameters and in models are told together`() async throws {
    try await Scene.with { scene in
      let recipe = """
        merge_method: ties
        base_modle: a
        models:
          - model: no/such/model
            parameters: {densty: 0.5, weight: 0.5}
          - model: b
            parameters: {density: 1.5, weight: [0.5, x]}
        dtype: bfloat61
        """
      try scene.write(recipe, to: "recipe.yml")
      let result = try await scene.runner.setting("HF_HUB_OFFLINE", to: "1")
        .run("plan", "recipe.yml")
      #expect(result.status == 65)
      for line in [
        "recipe.yml:2:1: error: unknown key \"base_modle\"",
        "recipe.yml:5:18: error: unknown parameter \"densty\"",
        "recipe.yml:7:27: error: \"density\" 1.5 is outside 0...1",
        "recipe.yml:7:40: error: \"weight\" is a number, not \"x\"",
        "recipe.yml:8:8: error: unknown dtype \"bfloat61\"",
        "recipe.yml:4:12: error: no/such/model: there is no model no/such/model",
      ] {
        #expect(result.errors.contains(line), "\(result.errors)")
      }
      #expect(result.errors.split(separator: "\n").count { $0.contains(": error: ") } == 6)
    }
  }

  @Test func `a misspelt parameter is told though the hub is not there`() async throws {
    try await Scene.with { scene in
      let recipe = Scene.linear.replacing("model: a", with: "model: x/y")
        .replacing("{weight: 0.5}", with: "{wieght: 0.5}")
      try scene.write(recipe, to: "recipe.yml")
      let result = try await scene.runner.setting("HF_ENDPOINT", to: "http://127.0.0.1:1")
        .run("plan", "recipe.yml")
      #expect(result.status == 65)
      #expect(result.errors.contains("recipe.yml:4:18: error: unknown parameter"))
      #expect(result.errors.contains("recipe.yml:3:12: error: x/y: 127.0.0.1 cannot be reached"))
    }
  }

  @Test func `a hub that is not there is told fast`() async throws {
    try await Scene.with { scene in
      try scene.write(Scene.linear.replacing("model: a", with: "model: x/y"), to: "recipe.yml")
      let start = ContinuousClock.now
      let result = try await scene.runner.setting("HF_ENDPOINT", to: "http://127.0.0.1:1")
        .run("merge", "recipe.yml", "out")
      #expect(result.status == 69)
      #expect(result.errors.contains("recipe.yml:3:12: error: x/y: 127.0.0.1 cannot be reached"))
      #expect(start.duration(to: .now) < .seconds(10))
      #expect(try scene.hasNoTrace(of: "out"))
    }
  }

  @Test(.enabled(if: FullDisk.canBeMade, "only root can mount a small file system"))
  func `a full disk is found before the first byte`() async throws {
    try await Scene.with { scene in
      let disk = try FullDisk(at: scene.path("disk"), kilobytes: 4)
      defer { withExtendedLifetime(disk) {} }
      let result = try await scene.runner.run("merge", "recipe.yml", "disk/out")
      #expect(result.status == 73, "\(result.errors)")
      #expect(result.errors.contains("the disk is too small for disk/out"), "\(result.errors)")
      #expect(try FileSystem.names(in: scene.path("disk")) == [])
    }
  }
}
