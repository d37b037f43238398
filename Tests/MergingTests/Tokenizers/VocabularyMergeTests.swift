// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Merging
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Weights

/// Whole merges of models with different vocabularies, rows and files looked at.
@Suite("Merging vocabularies") struct VocabularyMergeTests {
  private static let words = TokenizerText.words("a", "b", "c")

  /// A model of an embedding of two columns and a bias; a row of the embedding is (number, row).
  private func write(
    _ name: String, rows: Int, number: Float, added: [(Int, String)], in folder: FilePath
  ) throws {
    let model = folder.appending(name)
    try FileSystem.createFolder(model)
    try FileSystem.write(
      TokenizerText.wordLevel(Self.words, added: added), to: model.appending("tokenizer.json"))
    try FileSystem.write(
      #"{"architectures": ["X"], "vocab_size": \#(rows), "tie_word_embeddings": true}"#,
      to: model.appending("config.json"))
    try FileSystem.write(
      #"{"eos_token_id": \#(rows - 1)}"#, to: model.appending("generation_config.json"))
    let header =
      #"{"model.embed_tokens.weight":{"dtype":"F32","shape":[\#(rows),2],"data_offsets":[0,\#(rows * 8)]},"#
      + #""lm_head.bias":{"dtype":"F32","shape":[\#(rows)],"data_offsets":[\#(rows * 8),\#(rows * 12)]}}"#
    let values =
      (0..<rows).flatMap { [number, Float($0)] } + (0..<rows).map { 100 * number + Float($0) }
    let size = UInt64(header.utf8.count)
    let bytes =
      (0..<8).map { UInt8(truncatingIfNeeded: size >> UInt64(8 * $0)) } + header.utf8
      + values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) }
      }
    try FileSystem.write(bytes, to: model.appending("model.safetensors"))
  }

  /// What came out, in a folder that lasts as long as this does.
  private struct Merged {
    let folder: TemporaryFolder
    let plan: MergePlan
    var output: FilePath { folder.path.appending("out") }
  }

  /// Merges `a` (3 rows) and `b` (5 rows, two added tokens) with equal weights.
  private func merge(
    _ settings: String, base: String = "a", options: PlanOptions = PlanOptions()
  ) async throws -> Merged {
    let folder = try TemporaryFolder()
    try write("a", rows: 3, number: 1, added: [], in: folder.path)
    try write("b", rows: 5, number: 3, added: [(3, "<u>"), (4, "<v>")], in: folder.path)
    let recipe = """
      merge_method: linear
      models:
        - {model: a, parameters: {weight: 0.5}}
        - {model: b, parameters: {weight: 0.5}}
      base_model: \(base)
      \(settings)
      """
    let plan = try await Planner.plan(
      Recipe(parsing: Array(recipe.utf8), file: "recipe.yml"),
      from: FolderSource(root: folder.path), options: options)
    let merged = Merged(folder: folder, plan: plan)
    try MergedModel(plan, target: merged.output).write(threads: 2, toolVersion: "test")
    return merged
  }

  private func values(_ name: TensorName, in folder: FilePath) throws -> [Float] {
    let checkpoint = try Checkpoint(folder: folder)
    let tensor = try #require(checkpoint.tensors[name])
    let bytes = try FileSystem.read(checkpoint.path(of: tensor))[tensor.range]
    return stride(from: bytes.startIndex, to: bytes.endIndex, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
    }
  }

  private func json(_ name: String, in folder: FilePath) throws -> JSON {
    try JSON.parse(FileSystem.read(folder.appending(name)))
  }

  @Test("A union merges rows token by token, in embedding and bias") func union() async throws {
    let merged = try await merge("tokenizer_source: union")
    #expect(
      try values("model.embed_tokens.weight", in: merged.output) == [2, 0, 2, 1, 2, 2, 3, 3, 3, 4])
    #expect(try values("lm_head.bias", in: merged.output) == [200, 201, 202, 303, 304])
    #expect(try json("config.json", in: merged.output)["vocab_size"] == 5)
    let vocabulary = try #require(try Tokenizer(ModelFiles(folder: merged.output))).vocabulary
    #expect(vocabulary.id(of: "<v>") == 4)
    #expect(merged.plan.vocabulary?.added.map(\.text) == ["<u>", "<v>"])
  }

  @Test("The base's vocabulary cuts the rows of others") func base() async throws {
    let merged = try await merge("tokenizer: {source: base}")
    #expect(try values("lm_head.bias", in: merged.output) == [200, 201, 202])
    #expect(
      try FileSystem.read(merged.output.appending("tokenizer.json"))
        == Array(TokenizerText.wordLevel(Self.words).utf8))
    #expect(merged.plan.warnings.contains { $0.message.contains("<u>, <v>") })
  }

  @Test("With another model's vocabulary its special ids come along") func model() async throws {
    let merged = try await merge("tokenizer: {source: b}")
    #expect(try values("lm_head.bias", in: merged.output) == [200, 201, 202, 303, 304])
    #expect(try json("generation_config.json", in: merged.output)["eos_token_id"] == 4)
    let vocabulary = try #require(try Tokenizer(ModelFiles(folder: merged.output))).vocabulary
    #expect(vocabulary.added.map(\.text.string) == ["<u>", "<v>"])
  }

  @Test("Padding rows are the mean of all others") func padding() async throws {
    let merged = try await merge("tokenizer: {source: union, pad_to_multiple_of: 4}")
    let bias = try values("lm_head.bias", in: merged.output)
    // Of the one model 100, 101, 102, 303, 304, of the other 300 to 304: means 182 and 302.
    #expect(bias == [200, 201, 202, 303, 304, 242, 242, 242])
    #expect(try json("config.json", in: merged.output)["vocab_size"] == 8)
  }

  @Test("Padding is kept when a recipe says so") func keptPadding() async throws {
    let merged = try await merge("tokenizer: {source: union, pad_to_multiple_of: keep}")
    #expect(try values("lm_head.bias", in: merged.output) == [200, 201, 202, 303, 304])
    await #expect(throws: RecipeError.self) {
      _ = try await merge("tokenizer: {source: union, pad_to_multiple_of: some}")
    }
  }

  @Test("A recipe gives a token the row of another") func tokens() async throws {
    let settings = """
      tokenizer:
        source: base
        tokens:
          <mine>: {source: {kind: model_token, model: b, token: <v>}}
          <none>: {source: {kind: zero}}
      """
    let merged = try await merge(settings)
    #expect(try values("lm_head.bias", in: merged.output) == [200, 201, 202, 304, 0])
    let vocabulary = try #require(try Tokenizer(ModelFiles(folder: merged.output))).vocabulary
    #expect(vocabulary.id(of: "<mine>") == 3)
    #expect(vocabulary.id(of: "<none>") == 4)
  }

  @Test("A stage may have a tokenizer of its own, which the next recipe goes on with")
  func stages() async throws {
    let last = """
      chat_template: "{{ messages }}<|im_end|>"
      tokenizer_source: union
      name: joined
      ---
      merge_method: linear
      base_model: joined
      models:
        - {model: joined, parameters: {weight: 0.5}}
        - {model: b, parameters: {weight: 0.5}}
      tokenizer: {source: base, tokens: {<mine>: {source: {kind: zero}}}}
      """
    let merged = try await merge(last)
    #expect(try values("lm_head.bias", in: merged.output) == [250, 251, 252, 303, 304, 0])
    #expect(try json("config.json", in: merged.output)["vocab_size"] == 6)
    let tokenizer = try #require(try Tokenizer(ModelFiles(folder: merged.output)))
    #expect(tokenizer.vocabulary.added.map(\.text.string) == ["<u>", "<v>", "<mine>"])
    #expect(
      try FileSystem.read(merged.output.appending("chat_template.jinja"))
        == Array("{{ messages }}<|im_end|>".utf8))
    #expect(
      merged.plan.warnings.contains { $0.message.contains("tokens that the vocabulary does not") })
  }

  @Test("Without a setting different vocabularies are refused, with the ways out")
  func refusal() async throws {
    let error = try await #require(throws: RecipeError.self) { _ = try await merge("") }
    let advice = try #require(error.diagnostics.first { $0.severity == .error }?.advice)
    #expect(advice.contains("source: base"))
    #expect(advice.contains("source: union"))
    #expect(advice.contains("--unsafe-truncate-embeddings"))
    #expect(error.diagnostics.count { $0.severity == .error } == 1)
  }

  @Test("Embeddings are cut to the shortest if that is wanted") func cut() async throws {
    var options = PlanOptions()
    options.truncatesEmbeddings = true
    let merged = try await merge("", base: "b", options: options)
    #expect(try values("lm_head.bias", in: merged.output) == [200, 201, 202])
    #expect(try json("config.json", in: merged.output)["vocab_size"] == 3)
    #expect(merged.plan.warnings.contains { $0.message.contains("eos_token_id is 4") })
  }

  @Test("Other special tokens and ends of the output are told by name", arguments: ["", "union"])
  func roles(source: String) async throws {
    let folder = try TemporaryFolder()
    for (name, eos, id) in [("a", "a", "0"), ("b", "b", "[0, 1]")] {
      try write(name, rows: 3, number: 1, added: [], in: folder.path)
      try FileSystem.write(
        #"{"eos_token": "\#(eos)"}"#, to: folder.path.appending("\(name)/tokenizer_config.json"))
      try FileSystem.write(
        #"{"eos_token_id": \#(id)}"#, to: folder.path.appending("\(name)/generation_config.json"))
    }
    let recipe =
      "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\n"
      + (source.isEmpty ? "" : "tokenizer_source: \(source)\n")
    let plan = try await Planner.plan(
      Recipe(parsing: Array(recipe.utf8), file: "recipe.yml"),
      from: FolderSource(root: folder.path))
    #expect(
      plan.warnings.map(\.message) == [
        "b has other special tokens: eos_token b (the output: a)",
        "b ends what it writes with 1 (eos_token_id), too, but the output does not: it may go on for "
          + "ever",
      ])
  }

  @Test("A template's turn ends the output if that is wanted, else it is warned of")
  func turnEnd() async throws {
    let settings = """
      tokenizer: {source: base, tokens: {"<|im_start|>": {}, "<|im_end|>": {}}}
      chat_template: chatml
      """
    let merged = try await merge(settings)
    #expect(merged.plan.warnings.contains { $0.advice?.contains("--fix-eos") == true })
    #expect(FileSystem.exists(merged.output.appending("chat_template.jinja")))
    #expect(try json("generation_config.json", in: merged.output)["eos_token_id"] == 2)
    var options = PlanOptions()
    options.fixesEndOfTurn = true
    let mended = try await merge(settings, options: options)
    #expect(try json("generation_config.json", in: mended.output)["eos_token_id"] == [2, 4])
  }
}
