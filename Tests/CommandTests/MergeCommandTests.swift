// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import TestSupport
internal import Testing

@Suite struct MergeCommandTests {
  @Test func `a merge makes a model folder and tells what it did`() async throws {
    try await Scene.with { scene in
      let before = try scene.digests("a")
      let result = try await scene.runner.run("merge", "recipe.yml", "out")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("source  a\nsource  b\nmerged  out: "))
      let names = try FileSystem.names(in: scene.path("out"))
      #expect(
        names == [
          "README.md", "config.json", "generation_config.json",
          "mergekit_config.yml", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        ])
      #expect(try scene.read("out/mergekit_config.yml") == Scene.linear)
      #expect(try scene.digests("a") == before)
    }
  }

  @Test func `with --json standard output is one document`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("merge", "recipe.yml", "out", "--json")
      let json = try result.json
      #expect(json["folder"]?.string == "out")
      #expect(json["method"]?.string == "linear")
      #expect(json["sources"]?.array?.compactMap { $0["model"]?.string } == ["a", "b"])
      #expect(json["shards"]?.array?.compactMap(\.string) == ["model.safetensors"])
      for field in ["parameters", "bytes_read", "bytes_written", "peak_memory"] {
        #expect((json[field]?.int ?? 0) > 0, "\(field)")
      }
      #expect(json["seconds"] != nil)
      #expect(json["seed"]?.int == 0)
    }
  }

  @Test func `with --quiet there is the folder and nothing else`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("merge", "recipe.yml", "out", "--quiet", "--cuda")
      #expect(result.output == "out\n")
      #expect(result.errors == "")
    }
  }

  @Test func `mergekit's options are accepted with one note`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run(
        "merge", "recipe.yml", "out", "--allow-crimes", "--copy-tokenizer", "--out-shard-size",
        "1B", "--lazy-unpickle", "--low-cpu-memory", "--write-model-card", "--random-seed", "7",
        "--num-threads", "1", "--cuda", "--trust-remote-code", "-v")
      #expect(result.status == 0, "\(result.errors)")
      let notes = result.errors.split(separator: "\n").filter { $0.hasPrefix("note:") }
      #expect(
        notes == [
          "note: --cuda, --low-cpu-memory, --lazy-unpickle, --trust-remote-code: accepted, but there is "
            + "nothing to do for it"
        ])
    }
  }

  @Test func `threads and shards do not change a weight`() async throws {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "one", "-j", "1")
      _ = try await scene.runner.run("merge", "recipe.yml", "two", "-j", "3")
      #expect(try scene.digests("one")["model.safetensors"] != nil)
      #expect(
        try scene.digests("one")["model.safetensors"]
          == scene.digests("two")["model.safetensors"])
      let result = try await scene.runner.run(
        "merge", "recipe.yml", "three", "--out-shard-size", "1K", "--no-write-model-card",
        "--no-copy-tokenizer")
      #expect(result.status == 0)
      let names = try FileSystem.names(in: scene.path("three"))
      #expect(names.contains("model.safetensors.index.json"))
      #expect(!names.contains("README.md") && !names.contains("tokenizer.json"))
    }
  }

  @Test func `an existing folder is replaced only when told so`() async throws {
    try await Scene.with { scene in
      try FileSystem.createFolder(scene.path("out"))
      try scene.write("old", to: "out/old")
      #expect(try await scene.runner.run("merge", "recipe.yml", "out").status == 73)
      #expect(try await scene.runner.run("merge", "recipe.yml", "out", "--overwrite").status == 0)
      #expect(!FileSystem.exists(scene.path("out/old")))
    }
  }
}

@Suite struct PlanCommandTests {
  @Test func `a plan tells what a merge would do and makes nothing`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("plan", "recipe.yml")
      #expect(result.status == 0, "\(result.errors)")
      for word in ["linear", "source   a", "tensors  21", "output   1 shard", "memory"] {
        #expect(result.output.contains(word), "\(result.output)")
      }
      let names = try FileSystem.names(in: scene.folder)
      #expect(names.filter { $0 != "home" } == ["a", "b", "recipe.yml"])
    }
  }

  @Test func `the JSON of a plan has every tensor's place and inputs`() async throws {
    try await Scene.with { scene in
      let json = try await scene.runner.run("plan", "recipe.yml", "--json").json
      let tensors = json["tensors"]?.array ?? []
      #expect(tensors.count == 21)
      let first = try #require(tensors.first)
      #expect(first["name"]?.string == "lm_head.weight")
      #expect(first["dtype"]?.string == "F32")
      #expect(first["shape"]?.array?.compactMap(\.int) == [16, 8])
      #expect(first["shard"]?.string == "model.safetensors")
      #expect(first["inputs"]?.array?.compactMap { $0["model"]?.string } == ["a", "b"])
      for field in ["method", "sources", "shards", "files", "warnings", "memory"] {
        #expect(json[field] != nil, "\(field)")
      }
    }
  }

  @Test func `a plan tells the stages that come before`() async throws {
    try await Scene.with { scene in
      let last = "---\nmerge_method: linear\nmodels: [{model: half, parameters: {weight: 1}}]\n"
      try scene.write("name: half\n" + Scene.linear + last, to: "recipe.yml")
      let result = try await scene.runner.run("plan", "recipe.yml")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.hasPrefix("stage    half: Linear of a, b, "), "\(result.output)")
      let json = try await scene.runner.run("plan", "recipe.yml", "--json").json
      let stage = json["stages"]?.array?.first
      #expect(stage?["name"]?.string == "half")
      #expect(stage?["plan"]?["tensors"]?.array?.count == 21)
    }
  }

  @Test func `the quiet plan is one line`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("plan", "recipe.yml", "--quiet")
      #expect(result.output.hasPrefix("21 tensors, "))
      #expect(result.output.split(separator: "\n").count == 1)
    }
  }
}

@Suite struct CardCommandTests {
  @Test func `a card is written anew, and what the user wrote into it stays`() async throws {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--no-write-model-card")
      let result = try await scene.runner.run("card", "out", "--repository", "me/mine", "--json")
      #expect(result.status == 0, "\(result.errors)")
      let text = try scene.read("out/README.md")
      #expect(try result.json["card"]?.string == text)
      for word in ["- mergekit", "# mine", "merge_method: linear"] {
        #expect(text.contains(word), "\(text)")
      }
      let kept = "<!-- hubmerge:keep -->\nNot for children.\n<!-- /hubmerge:keep -->\n"
      try scene.write(text + kept, to: "out/README.md")
      let again = try await scene.runner.run("card", "out", "--repository", "me/yours", "--quiet")
      #expect(again.output == "out/README.md\n")
      #expect(try scene.read("out/README.md").contains("# yours"))
      #expect(try scene.read("out/README.md").contains(kept))
    }
  }

  @Test func `a card needs a merged folder`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("card", "a")
      #expect(result.status == 66)
      #expect(result.errors.contains("a has no mergekit_config.yml"))
    }
  }

  @Test func `a card has no options of a merge`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("card", "--help")
      #expect(result.output.contains("--template"))
      #expect(!result.output.contains("--out-shard-size"))
    }
  }
}
