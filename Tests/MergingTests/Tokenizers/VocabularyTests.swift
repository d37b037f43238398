// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Merging
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("Vocabulary") struct VocabularyTests {
  @Test("An added token gets the id that the library gives it, whatever is written")
  func effectiveIDs() throws {
    let vocabulary = try TokenizerText.vocabulary(
      TokenizerText.wordLevel(
        TokenizerText.words("a", "b", "c"), added: [(1, "b"), (77, "<x>"), (5, "<y>")]))
    #expect(vocabulary.id(of: "b") == 1)
    #expect(vocabulary.id(of: "<x>") == 3)
    #expect(vocabulary.id(of: "<y>") == 4)
    #expect(vocabulary.end == 5)
    #expect(vocabulary.added.map(\.text.string) == ["b", "<x>", "<y>"])
  }

  @Test("Tokens are compared by their bytes, not by what they look like") func bytes() throws {
    let vocabulary = try TokenizerText.vocabulary(
      TokenizerText.wordLevel([("e\u{301}", 0), ("\u{e9}", 1)]))
    #expect(vocabulary.id(of: "e\u{301}") == 0)
    #expect(vocabulary.id(of: "\u{e9}") == 1)
  }

  @Test("The four kinds are read, and told from their parts where the name is missing")
  func kinds() throws {
    #expect(try TokenizerText.vocabulary(TokenizerText.bpe(added: [])).kind == .bpe)
    let unigram = try TokenizerText.vocabulary(TokenizerText.unigram(["<unk>", "x"]))
    #expect(unigram.kind == .unigram)
    #expect(unigram.id(of: "x") == 1)
    for (parts, kind) in [
      (#""merges": []"#, Vocabulary.Kind.bpe), (#""max_input_chars_per_word": 100"#, .wordPiece),
      (#""unk_token": "a""#, .wordLevel),
    ] {
      let text = #"{"model": {"vocab": {"a": 0}, \#(parts)}}"#
      #expect(try TokenizerText.vocabulary(text).kind == kind)
    }
  }

  @Test(
    "What is no tokenizer is refused",
    arguments: [
      "{", "{}", #"{"model": {}}"#, #"{"model": {"type": "New", "vocab": {}}}"#,
      #"{"model": {"vocab": {"a": -1}}}"#, #"{"model": {"vocab": {"a": 99999999999}}}"#,
      #"{"model": {"vocab": {"a": "0"}}}"#, #"{"model": {"type": "Unigram", "vocab": {"a": 1}}}"#,
    ])
  func damage(text: String) {
    #expect(throws: TokenizerFault.self) { try TokenizerText.vocabulary(text) }
  }

  @Test("Merges in the old and in the new form are the same tokenizer") func mergeForms() throws {
    let old = try TokenizerText.vocabulary(TokenizerText.bpe(added: []))
    let new = try TokenizerText.vocabulary(TokenizerText.bpe(added: [(5, "<x>")], asLists: true))
    #expect(VocabularyDifference(old, new) == nil)
  }

  @Test("A word that the other has as an added token is the same word") func addedWord() throws {
    let words = TokenizerText.words("a", "b", "c")
    let one = try TokenizerText.vocabulary(TokenizerText.wordLevel(words))
    let two = try TokenizerText.vocabulary(
      TokenizerText.wordLevel(TokenizerText.words("a", "b"), added: [(2, "c")]))
    #expect(VocabularyDifference(one, two) == nil)
    let three = try TokenizerText.vocabulary(
      TokenizerText.wordLevel(TokenizerText.words("b", "a", "z")))
    let difference = try #require(VocabularyDifference(one, three))
    #expect(difference.onlyInFirst == 1)
    #expect(difference.onlyInSecond == 1)
    #expect(difference.renumbered == 2)
  }

  @Test("A vocabulary is read from vocab.json with merges.txt and added_tokens.json")
  func slowFiles() throws {
    let folder = try TemporaryFolder()
    try FileSystem.write(#"{"a": 0, "b": 1, "ab": 2}"#, to: folder.path.appending("vocab.json"))
    try FileSystem.write("#version: 0.2\na b\n", to: folder.path.appending("merges.txt"))
    try FileSystem.write(#"{"<x>": 3}"#, to: folder.path.appending("added_tokens.json"))
    let tokenizer = try #require(try Tokenizer(ModelFiles(folder: folder.path)))
    #expect(tokenizer.vocabulary.kind == .bpe)
    #expect(tokenizer.vocabulary.id(of: "<x>") == 3)
    #expect(tokenizer.vocabulary.end == 4)
  }

  @Test("A vocab.json with an id that is none is refused", arguments: ["-1", "16777216", "1.5"])
  func slowDamage(id: String) throws {
    let folder = try TemporaryFolder()
    try FileSystem.write(#"{"a": \#(id)}"#, to: folder.path.appending("vocab.json"))
    #expect(throws: TokenizerError.self) { try Tokenizer(ModelFiles(folder: folder.path)) }
  }

  @Test("The lines of vocab.txt are ids, however they end") func wordPieceFile() throws {
    let folder = try TemporaryFolder()
    try FileSystem.write("[PAD]\r\n\r\nthe\n##s", to: folder.path.appending("vocab.txt"))
    let vocabulary = try #require(try Tokenizer(ModelFiles(folder: folder.path))).vocabulary
    #expect(vocabulary.kind == .wordPiece)
    #expect(vocabulary.id(of: "the") == 2)
    #expect(vocabulary.id(of: "##s") == 3)
    #expect(vocabulary.end == 4)
  }

  @Test("Tokenizers of the same words hold them once") func sharing() throws {
    let words = TokenizerText.words("a", "b", "c")
    func tokenizer(_ text: String) throws -> ModelFiles {
      ModelFiles(["tokenizer.json": .bytes(Array(text.utf8))], folder: "m")
    }
    let one = try #require(try Tokenizer(tokenizer(TokenizerText.wordLevel(words))))
    let two = try #require(
      try Tokenizer(
        tokenizer(TokenizerText.wordLevel(words, added: [(3, "<x>")])), sharingWith: one))
    #expect(one.vocabulary.words === two.vocabulary.words)
    #expect(two.vocabulary.id(of: "<x>") == 3)
    #expect(one.vocabulary.id(of: "<x>") == nil)
    let other = TokenizerText.wordLevel(TokenizerText.words("a", "c", "b"))
    let three = try #require(try Tokenizer(tokenizer(other), sharingWith: one))
    #expect(three.vocabulary.words !== one.vocabulary.words)
    #expect(three.vocabulary.id(of: "c") == 1)
  }

  @Test("The pieces of XLM-RoBERTa have the ids that its code gives them") func fairseq() throws {
    let pieces = ["<unk>", "<s>", "</s>", "\u{2581}a", "b"].flatMap { text -> [UInt8] in
      let content = [0x0A, UInt8(text.utf8.count)] + Array(text.utf8)
      return [0x0A, UInt8(content.count)] + content
    }
    func tokenizer(_ config: String) throws -> Tokenizer? {
      try Tokenizer(
        ModelFiles(
          [
            "sentencepiece.bpe.model": .bytes(pieces), "config.json": .bytes(Array(config.utf8)),
          ], folder: "m"))
    }
    let vocabulary = try #require(try tokenizer(#"{"model_type": "xlm-roberta"}"#)).vocabulary
    #expect(
      vocabulary.tokens.map { $0?.string }
        == ["<s>", "<pad>", "</s>", "<unk>", "\u{2581}a", "b", "<mask>"])
    #expect(throws: TokenizerError.self) { try tokenizer(#"{"model_type": "camembert"}"#) }
  }

  @Test("A folder without a tokenizer has none") func nothing() throws {
    let folder = try TemporaryFolder()
    #expect(try Tokenizer(ModelFiles(folder: folder.path)) == nil)
  }
}
