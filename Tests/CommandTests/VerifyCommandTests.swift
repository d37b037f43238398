// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import TestSupport
internal import Testing

@Suite struct VerifyCommandTests {
  private static let random = """
    merge_method: dare_ties
    base_model: a
    models:
      - {model: b, parameters: {weight: 0.5, density: 0.5}}
    dtype: bfloat16
    random_seed: 3

    """

  /// Changes one bit of the last byte of a file.
  private static func damage(_ name: String, in scene: Scene) throws {
    var bytes = try FileSystem.read(scene.path(name))
    bytes[bytes.count - 1] ^= 1
    try FileSystem.write(bytes, to: scene.path(name))
  }

  @Test func `a merge is what its lock says, and a flipped bit is found in its tensor`()
    async throws
  {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--write-lock")
      let sound = try await scene.runner.run("verify", "out")
      #expect(sound.status == 0, "\(sound.errors)")
      #expect(sound.output.hasPrefix("sound   out: "), "\(sound.output)")

      try Self.damage("out/model.safetensors", in: scene)
      let broken = try await scene.runner.run("verify", "out", "--json")
      #expect(broken.status == 65)
      #expect(try broken.json["sound"]?.bool == false)
      let findings = try broken.json["findings"]?.array ?? []
      #expect(findings.count == 1)
      // The last tensor of the file.
      #expect(findings.first?["tensor"]?.string == "model.norm.weight")
      #expect(findings.first?["file"]?.string == "model.safetensors")
    }
  }

  @Test func `missing, shortened and other files are told apart`() async throws {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--write-lock")
      try FileSystem.remove(scene.path("out/generation_config.json"))
      try scene.write("{}", to: "out/tokenizer_config.json")
      try Self.damage("out/config.json", in: scene)
      try scene.write("mine", to: "out/README.md")
      let result = try await scene.runner.run("verify", "out")
      #expect(result.status == 65)
      let lines = result.output.split(separator: "\n").map(String.init)
      #expect(lines.contains("missing generation_config.json"))
      #expect(lines.contains { $0.hasPrefix("size    tokenizer_config.json: 2 bytes instead of") })
      #expect(lines.contains("file    config.json is not what it was"))
      #expect(lines.last == "broken  out: 3 differences from its lock")
    }
  }

  @Test func `a folder without a lock cannot be verified`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("verify", "a")
      #expect(result.status == 66)
      #expect(result.errors.contains("a has no hubmerge.lock"))
    }
  }

  @Test func `a lock gives the same bytes again with another number of threads`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.random, to: "random.yml")
      let first = try await scene.runner.run(
        "merge", "random.yml", "one", "-j", "1", "--random-seed", "9", "--out-shard-size", "1K",
        "--write-lock")
      #expect(first.status == 0, "\(first.errors)")
      let again = try await scene.runner.run(
        "merge", "random.yml", "two", "-j", "3", "--lock", "one/hubmerge.lock")
      #expect(again.status == 0, "\(again.errors)")
      var (one, two) = (try scene.digests("one"), try scene.digests("two"))
      one["README.md"] = nil
      two["README.md"] = nil
      #expect(one == two)
      #expect(one["hubmerge.lock"] != nil)
    }
  }

  @Test func `a lock refuses another source, another recipe and what is no lock`() async throws {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--write-lock")
      try scene.write(Scene.linear + "# other\n", to: "other.yml")
      let recipe = try await scene.runner.run(
        "merge", "other.yml", "out2", "--lock", "out/hubmerge.lock")
      #expect(recipe.status == 65)
      #expect(recipe.errors.contains("the lock belongs to another recipe"))
      try Self.damage("b/model.safetensors", in: scene)
      let source = try await scene.runner.run(
        "merge", "recipe.yml", "out2", "--lock", "out/hubmerge.lock")
      #expect(source.status == 65)
      #expect(source.errors.contains("b is not what was locked"), "\(source.errors)")
      #expect(source.errors.contains("model.safetensors"))
      let none = try await scene.runner.run(
        "merge", "recipe.yml", "out2", "--lock", "recipe.yml")
      #expect(none.status == 65)
      #expect(try scene.hasNoTrace(of: "out2"))
    }
  }

  @Test func `a rebuild makes tensors again and names the one that differs`() async throws {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--write-lock")
      let sound = try await scene.runner.run("verify", "out", "--rebuild")
      #expect(sound.status == 0, "\(sound.errors)")
      #expect(sound.output.contains("21 of 21 tensors made again"), "\(sound.output)")
      let some = try await scene.runner.run("verify", "out", "--rebuild", "--sample", "10%")
      #expect(some.output.contains("3 of 21 tensors made again"), "\(some.output)")

      // What a lock does not know: weights that were changed before it was written.
      try Self.damage("out/model.safetensors", in: scene)
      let lock = try scene.read("out/hubmerge.lock")
      let broken = try await scene.runner.run("verify", "out", "--rebuild", "--json")
      #expect(broken.status == 65)
      #expect(
        try broken.json["rebuilt"]?["different"]?.array?.map(\.string) == ["model.norm.weight"])
      #expect(try scene.read("out/hubmerge.lock") == lock)
      #expect(try FileSystem.names(in: scene.folder).allSatisfy { !$0.hasPrefix(".out") })
    }
  }

  @Test func `a report draws the merge, and the card shows it`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.random, to: "random.yml")
      _ = try await scene.runner.run("merge", "random.yml", "out", "--write-lock")
      let result = try await scene.runner.run("report", "out", "--json")
      #expect(result.status == 0, "\(result.errors)")
      let files = try result.json["files"]?.array?.compactMap(\.string) ?? []
      #expect(
        files == [
          "report/distance.svg", "report/change.svg", "report/report.html", "report/record.json",
        ])
      for file in files { #expect(FileSystem.exists(scene.path("out/\(file)"))) }
      _ = try await scene.runner.run("card", "out")
      let card = try scene.read("out/README.md")
      #expect(card.contains("](report/distance.svg)"), "\(card)")
      #expect(card.contains("hubmerge.lock"))
      #expect(try await scene.runner.run("verify", "out").status == 0)
    }
  }

  @Test func `a statement of provenance names the files and what they were made from`() async throws
  {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--write-lock")
      let result = try await scene.runner.run("verify", "out", "--provenance", "statement.json")
      #expect(result.status == 0, "\(result.errors)")
      let statement = try JSON.parse(FileSystem.read(scene.path("statement.json")))
      let digest = try scene.digests("out")["model.safetensors"]
      let subject = statement["subject"]?.array?.first { $0["name"]?.string == "model.safetensors" }
      #expect(subject?["digest"]?["sha256"]?.string == digest)
    }
  }

  @Test func `a published model is verified by the digests that the hub has`() async throws {
    try await Scene.with { scene in
      _ = try await scene.runner.run("merge", "recipe.yml", "out", "--write-lock")
      try await scene.withServer { client, _ in
        let pushed = try await client.run("push", "out", "me/merged")
        #expect(pushed.status == 0, "\(pushed.errors)")
        let sound = try await client.run("verify", "me/merged")
        #expect(sound.status == 0, "\(sound.errors)")
        try Self.damage("out/model.safetensors", in: scene)
        _ = try await client.run("push", "out", "me/merged")
        let broken = try await client.run("verify", "me/merged")
        #expect(broken.status == 65)
        #expect(broken.output.contains("file    model.safetensors is not what it was"))
      }
    }
  }
}
