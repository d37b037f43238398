// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Merging
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("Tokenizer patch") struct TokenizerPatchTests {
  private let words = TokenizerText.words("a", "b", "c")

  /// The files that a patch writes for the first of two models.
  private func patch(
    _ files: [String: String], with other: String, rows: (Int, Int), unites: Bool = true
  ) throws -> (files: [String: String], warnings: [String]) {
    try withTemporaryFolder { folder in
      for (name, text) in files { try FileSystem.write(text, to: folder.appending(name)) }
      let tokenizer = try #require(try Tokenizer(ModelFiles(folder: folder)))
      var request = OutputVocabulary.Request(home: 0)
      request.unites = unites
      let output = try OutputVocabulary(
        [
          VocabularyModel(name: "a", vocabulary: tokenizer.vocabulary, rows: rows.0),
          VocabularyModel(
            name: "b", vocabulary: try TokenizerText.vocabulary(other), rows: rows.1),
        ], request, taking: tokenizer.vocabulary)
      let patch = try TokenizerPatch(tokenizer, for: output)
      return (
        Dictionary(
          uniqueKeysWithValues: patch.files.map {
            ($0.name, String(decoding: $0.bytes, as: UTF8.self))
          }
        ), patch.warnings
      )
    }
  }

  @Test("New tokens are added to tokenizer.json and every other byte stays") func append() throws {
    let text = TokenizerText.wordLevel(words, added: [(3, "<s>")])
    let other = TokenizerText.wordLevel(words, added: [(3, "<s>"), (4, "<u>"), (5, "<v>")])
    let patched = try patch(["tokenizer.json": text], with: other, rows: (4, 6))
    #expect(patched.files == ["tokenizer.json": other])
  }

  @Test("Nothing new, nothing written") func unchanged() throws {
    let text = TokenizerText.wordLevel(words, added: [(3, "<s>")])
    #expect(try patch(["tokenizer.json": text], with: text, rows: (4, 4)).files.isEmpty)
  }

  @Test("The files beside tokenizer.json say the same") func others() throws {
    let other = TokenizerText.wordLevel(words, added: [(3, "<u>")])
    let patched = try patch(
      [
        "tokenizer.json": TokenizerText.wordLevel(words),
        "tokenizer_config.json":
          #"{"added_tokens_decoder": {}, "additional_special_tokens": ["<q>"], "x": 1e-05}"#,
        "special_tokens_map.json": #"{"additional_special_tokens": []}"#,
        "added_tokens.json": #"{"<q>": 2}"#,
      ], with: other, rows: (3, 4))
    let config = try JSON.parse(try #require(patched.files["tokenizer_config.json"]))
    #expect(config["added_tokens_decoder"]?["3"]?["content"] == "<u>")
    #expect(config["added_tokens_decoder"]?["3"]?["special"] == true)
    #expect(config["additional_special_tokens"] == ["<q>", "<u>"])
    #expect(config["x"] == .number("1e-05"))
    #expect(
      try JSON.parse(try #require(patched.files["special_tokens_map.json"]))
        == ["additional_special_tokens": ["<u>"]])
    #expect(try JSON.parse(try #require(patched.files["added_tokens.json"]))["<u>"] == 3)
  }

  @Test("A tokenizer that Python alone reads gets its new tokens in added_tokens.json")
  func slow() throws {
    let other = TokenizerText.wordLevel(words, added: [(3, "<u>")])
    let patched = try patch(
      ["vocab.json": #"{"a": 0, "b": 1, "c": 2}"#, "tokenizer_config.json": "{}"], with: other,
      rows: (3, 4))
    #expect(try JSON.parse(try #require(patched.files["added_tokens.json"])) == ["<u>": 3])
    let config = try JSON.parse(try #require(patched.files["tokenizer_config.json"]))
    #expect(config["added_tokens_decoder"]?["3"]?["content"] == "<u>")
  }

  @Test("Where words have gaps in their ids a new token is listed among them, too")
  func gaps() throws {
    let gappy = [("a", 0), ("b", 1), ("c", 5)]
    let other = TokenizerText.wordLevel(gappy, added: [(9, "<u>"), (10, "<v>")])
    let patched = try patch(
      ["tokenizer.json": TokenizerText.wordLevel(gappy)], with: other, rows: (6, 11))
    let vocabulary = try TokenizerText.vocabulary(try #require(patched.files["tokenizer.json"]))
    #expect(vocabulary.id(of: "<u>") == 6)
    #expect(vocabulary.id(of: "<v>") == 7)
  }

  @Test("Tokens without weights go, and with words the merges that make or need them")
  func strip() throws {
    for asLists in [false, true] {
      let text = TokenizerText.bpe(added: [(5, "<x>")], asLists: asLists)
      let patched = try patch(["tokenizer.json": text], with: text, rows: (4, 4), unites: false)
      let result = try #require(patched.files["tokenizer.json"])
      let vocabulary = try TokenizerText.vocabulary(result)
      #expect(vocabulary.end == 4)
      #expect(vocabulary.added.isEmpty)
      let merges = try JSON.parse(result)["model"]?["merges"]
      #expect(merges == (asLists ? [["a", "b"]] : ["a b"]))
    }
  }

  @Test("Words without weights go from the lists that Python reads, too") func stripLists() throws {
    let text = TokenizerText.bpe(added: [])
    let patched = try patch(
      [
        "tokenizer.json": text, "vocab.json": #"{"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}"#,
        "merges.txt": "#version: 0.2\r\na b\r\nab c\r\n",
      ], with: text, rows: (4, 4), unites: false)
    #expect(patched.files["vocab.json"] == #"{"a": 0, "b": 1, "c": 2, "ab": 3}"#)
    #expect(patched.files["merges.txt"] == "#version: 0.2\r\na b\r\n")
    let lines = try patch(
      ["vocab.txt": "a\nb\n##c\n"], with: text, rows: (2, 4), unites: false)
    #expect(lines.files["vocab.txt"] == "a\nb\n")
  }

  @Test("A list of pieces is cut where the weights end") func stripUnigram() throws {
    let text = TokenizerText.unigram(["<unk>", "x", "y", "z"])
    let patched = try patch(["tokenizer.json": text], with: text, rows: (2, 2), unites: false)
    let vocabulary = try TokenizerText.vocabulary(try #require(patched.files["tokenizer.json"]))
    #expect(vocabulary.end == 2)
    #expect(vocabulary.id(of: "y") == nil)
  }
}

@Suite("SentencePiece model") struct SentencePieceModelTests {
  /// Three pieces, settings of the trainer with a size, and a field that is not known.
  private static func model(settingsFirst: Bool = false) -> [UInt8] {
    var pieces: [UInt8] = []
    for (text, type) in [("<unk>", 2), ("\u{2581}a", 1), ("<0x0A>", 6)] {
      let content: [UInt8] =
        [0x0A, UInt8(text.utf8.count)] + text.utf8 + [0x15, 0, 0, 0x80, 0x3F, 0x18, UInt8(type)]
      pieces += [0x0A, UInt8(content.count)] + content
    }
    // model_type 2, vocab_size 3, pad_id -1.
    let settings: [UInt8] =
      [0x18, 2, 0x20, 3, 0xD8, 0x02] + Array(repeating: 0xFF, count: 9) + [0x01]
    let trainer: [UInt8] = [0x12, UInt8(settings.count)] + settings
    let unknown: [UInt8] = [0x9A, 0x06, 3, 7, 8, 9]
    return settingsFirst ? trainer + pieces + unknown : pieces + trainer + unknown
  }

  @Test("Pieces are read with their types") func reading() throws {
    let model = try SentencePieceModel(parsing: Self.model())
    #expect(model.pieces.map(\.text.string) == ["<unk>", "\u{2581}a", "<0x0A>"])
    #expect(model.pieces.map(\.type) == [.unknown, .normal, .byte])
    #expect(model.isBytePair)
  }

  @Test("Pieces are appended, the size set right, and the rest kept", arguments: [false, true])
  func appending(settingsFirst: Bool) throws {
    let bytes = Self.model(settingsFirst: settingsFirst)
    let longer = try SentencePieceModel(parsing: bytes).appending([
      .init(text: "<u>", type: .control), .init(text: "w", type: .userDefined),
    ])
    let model = try SentencePieceModel(parsing: longer)
    #expect(model.pieces.map(\.text.string).suffix(2) == ["<u>", "w"])
    #expect(model.pieces.map(\.type).suffix(2) == [.control, .userDefined])
    // A tag and a length, then 12 and 10 bytes of content.
    #expect(longer.count == bytes.count + 14 + 12)
    #expect(longer.suffix(6) == bytes.suffix(6))
    #expect(longer.contains(5))
  }

  @Test("Damage is found, wherever the file ends") func damage() throws {
    let bytes = Self.model()
    for end in 0..<bytes.count {
      // Between fields the file just has less in it.
      _ = try? SentencePieceModel(parsing: Array(bytes[..<end]))
    }
    #expect(throws: TokenizerFault.self) { try SentencePieceModel(parsing: []) }
    #expect(throws: TokenizerFault.self) {
      try SentencePieceModel(parsing: [0x0A, 0xFF, 0xFF, 0x7F])
    }
    #expect(throws: TokenizerFault.self) {
      try SentencePieceModel(parsing: Array(repeating: 0xFF, count: 20))
    }
  }
}
