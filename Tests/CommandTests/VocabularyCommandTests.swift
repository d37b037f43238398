// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import TestSupport
internal import Testing

/// Models whose vocabularies differ, and the options that say what to do about it.
@Suite struct VocabularyCommandTests {
  /// A tokenizer.json of the words t0, t1, … with some of them replaced, and added tokens after them.
  private static func tokenizer(
    _ count: Int, replacing others: [Int: String] = [:], added: [String] = []
  ) -> String {
    let words = (0..<count).map { "\"\(others[$0] ?? "t\($0)")\": \($0)" }.joined(separator: ", ")
    let tokens = added.enumerated().map { offset, text in
      "{\"id\": \(count + offset), \"content\": \"\(text)\", \"special\": true}"
    }.joined(separator: ", ")
    return """
      {"version": "1.0", "added_tokens": [\(tokens)], "model": {"type": "BPE", "vocab": {\(words)}, \
      "merges": []}}
      """
  }

  private static let union = Scene.linear + "base_model: a\ntokenizer_source: union\n"

  @Test func `different words are united only with --allow-dead-tokens`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.tokenizer(16, replacing: [14: "u", 15: "v"]), to: "b/tokenizer.json")
      try scene.write(Self.union, to: "recipe.yml")
      let refused = try await scene.runner.run("merge", "recipe.yml", "out")
      #expect(refused.status == 65)
      for word in [
        "recipe.yml:9:19: error: a and b have different vocabularies",
        "2 words are only in the first, 2 only in the second", "\"tokenizer: {source: base}\"",
        "--allow-dead-tokens",
      ] {
        #expect(refused.errors.contains(word), "\(refused.errors)")
      }
      let merged = try await scene.runner.run(
        "merge", "recipe.yml", "out", "--allow-dead-tokens", "--json")
      #expect(merged.status == 0, "\(merged.errors)")
      let added = try merged.json["vocabulary"]?["added"]?.array ?? []
      #expect(added.map { $0["token"]?.string } == ["u", "v"])
      #expect(added.map { $0["id"]?.int } == [16, 17])
      #expect(added.map { $0["row"]?["row"]?.int } == [14, 15])
      #expect(try scene.json("out/config.json")["vocab_size"]?.int == 18)
      let tokens = try scene.json("out/tokenizer.json")["added_tokens"]?.array
      #expect(tokens?.map { $0["content"]?.string } == ["u", "v"])
    }
  }

  @Test func `embeddings are cut only with --unsafe-truncate-embeddings`() async throws {
    try await Scene.with { scene in
      try ModelFixture(seed: 2).setting(\.vocabulary, to: 20).write(to: scene.path("b"))
      try scene.write(Scene.linear + "base_model: b\n", to: "recipe.yml")
      let refused = try await scene.runner.run("merge", "recipe.yml", "out")
      #expect(refused.status == 65)
      for word in [
        "error: the vocabularies differ: a has 16 rows, b has 20", "\"tokenizer: {source: base}\"",
        "\"tokenizer: {source: union}\"", "--unsafe-truncate-embeddings",
      ] {
        #expect(refused.errors.contains(word), "\(refused.errors)")
      }
      let merged = try await scene.runner.run(
        "merge", "recipe.yml", "out", "--unsafe-truncate-embeddings")
      #expect(merged.status == 0, "\(merged.errors)")
      #expect(merged.errors.contains("the embedding of b is cut from 20 rows to 16"))
      #expect(merged.errors.contains("4 tokens of the output's tokenizer have no row"))
      #expect(try scene.json("out/config.json")["vocab_size"]?.int == 16)
      let inspected = try await scene.runner.run("inspect", "out", "--json").json
      #expect(inspected["vocabulary"]?.int == 16)
    }
  }

  @Test func `the end of a turn ends the output with --fix-eos`() async throws {
    try await Scene.with { scene in
      let tokens = Self.tokenizer(14, added: ["<|im_start|>", "<|im_end|>"])
      for model in ["a", "b"] { try scene.write(tokens, to: "\(model)/tokenizer.json") }
      try scene.write(Scene.linear + "chat_template: chatml\n", to: "recipe.yml")
      let plain = try await scene.runner.run("merge", "recipe.yml", "plain")
      #expect(plain.status == 0, "\(plain.errors)")
      #expect(
        plain.errors.contains("ends turns with <|im_end|> (15), which does not end the output"))
      #expect(plain.errors.contains("--fix-eos"))
      #expect(try scene.json("plain/generation_config.json")["eos_token_id"] == 2)
      let mended = try await scene.runner.run("merge", "recipe.yml", "mended", "--fix-eos")
      #expect(mended.status == 0, "\(mended.errors)")
      #expect(!mended.errors.contains("ends turns"), "\(mended.errors)")
      #expect(try scene.json("mended/generation_config.json")["eos_token_id"] == [2, 15])
    }
  }

  @Test func `a plan tells what becomes of tokens, and a merge the same`() async throws {
    try await Scene.with { scene in
      try ModelFixture(seed: 2).setting(\.vocabulary, to: 18).write(to: scene.path("b"))
      try scene.write(Self.tokenizer(16, added: ["<u>", "<v>"]), to: "b/tokenizer.json")
      let tokens = """
        tokenizer:
          source: union
          pad_to_multiple_of: 8
          tokens:
            <zero>: {source: {kind: zero}}
            t3: {source: {kind: model_token, model: b, token: <u>}, force: true}

        """
      try scene.write(Scene.linear + "base_model: a\n" + tokens, to: "recipe.yml")
      let plan = try await scene.runner.run("plan", "recipe.yml")
      #expect(plan.status == 0, "\(plan.errors)")
      let lines = plan.output.split(separator: "\n").map(String.init)
      for line in [
        "tokens   16 of a, 3 added, 5 rows of padding (mean of the others): 24 rows",
        "added    16 <u>: row 16 of b", "added    17 <v>: row 17 of b", "added    18 <zero>: zeros",
        "given    3 t3: row 16 of b, for all models", "filled   3 tokens that a lacks",
        "filled   1 token that b lacks",
      ] {
        #expect(lines.contains(line), "\(plan.output)")
      }
      #expect(!plan.errors.contains("zeros"), "\(plan.errors)")
      let planned = try await scene.runner.run("plan", "recipe.yml", "--json").json["vocabulary"]
      #expect(planned?["padding_rows"]?.int == 5)
      #expect(planned?["padding"]?.string == "mean")
      #expect(planned?["given"]?.array?.first?["forced"]?.bool == true)
      #expect(planned?["added"]?.array?.last?["row"]?.string == "zero")
      let merged = try await scene.runner.run("merge", "recipe.yml", "out", "--json")
      #expect(try merged.json["vocabulary"] == planned)
    }
  }
}
