// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Weights

/// Files of weights that stand alone, in and out.
@Suite struct StateDictTests {
  private static let recipe = """
    merge_method: linear
    models:
      - {model: one.safetensors, parameters: {weight: 0.5}}
      - {model: weights/two.safetensors, parameters: {weight: 0.5}}

    """

  private static func with(_ body: (Scene) async throws -> Void) async throws {
    try await Scene.with { scene in
      try FileSystem.createFolder(scene.path("weights"))
      try FileSystem.rename(scene.path("a/model.safetensors"), to: scene.path("one.safetensors"))
      try FileSystem.rename(
        scene.path("b/model.safetensors"), to: scene.path("weights/two.safetensors"))
      try scene.write(recipe, to: "recipe.yml")
      try await body(scene)
    }
  }

  @Test func `two files of weights become one, and nothing else`() async throws {
    try await Self.with { scene in
      let before = try FileSystem.names(in: scene.folder)
      let result = try await scene.runner.run("merge", "recipe.yml", "out.safetensors")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("merged  out.safetensors: "))
      #expect(
        try FileSystem.names(in: scene.folder) == (before + ["out.safetensors"]).sorted())
      let folder = try await scene.runner.run("merge", "recipe.yml", "out", "--quiet")
      #expect(folder.status == 0, "\(folder.errors)")
      #expect(
        try FileSystem.names(in: scene.path("out")) == [
          "README.md", "mergekit_config.yml", "model.safetensors",
        ])
      #expect(
        try FileSystem.read(scene.path("out.safetensors"))
          == FileSystem.read(scene.path("out/model.safetensors")))
    }
  }

  @Test func `a file is written whole whatever the size of shards, and not over another`()
    async throws
  {
    try await Self.with { scene in
      try scene.write("precious", to: "out.safetensors")
      let refused = try await scene.runner.run("merge", "recipe.yml", "out.safetensors")
      #expect(refused.status == 73)
      #expect(refused.errors.contains("out.safetensors exists already"))
      #expect(try scene.read("out.safetensors") == "precious")
      let result = try await scene.runner.run(
        "merge", "recipe.yml", "out.safetensors", "--overwrite", "--out-shard-size", "1K")
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        try Checkpoint(file: scene.path("out.safetensors")).names
          == Checkpoint(file: scene.path("one.safetensors")).names)
    }
  }

  @Test func `a file with tensors that the other lacks is refused by their names`() async throws {
    try await Self.with { scene in
      try ModelFixture(seed: 2).write(to: scene.path("c")) { $0.name != "lm_head.weight" }
      try scene.write(
        Self.recipe.replacing("weights/two.safetensors", with: "c/model.safetensors"),
        to: "recipe.yml")
      let result = try await scene.runner.run("merge", "recipe.yml", "out.safetensors")
      #expect(result.status == 65)
      #expect(result.errors.contains("c/model.safetensors has no tensor lm_head.weight"))
      #expect(try scene.hasNoTrace(of: "out.safetensors"))
    }
  }
}
