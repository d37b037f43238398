// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Merging
internal import Testing

@Suite("Output vocabulary") struct OutputVocabularyTests {
  private static let words = TokenizerText.words("a", "b", "c")
  private let base = TokenizerText.wordLevel(words)
  private let chat = TokenizerText.wordLevel(words, added: [(3, "<u>"), (4, "<v>")])
  private let tools = TokenizerText.wordLevel(words, added: [(3, "<t>"), (4, "<u>")])

  @Test("A union keeps the base's ids and puts new tokens behind them in the recipe's order")
  func union() throws {
    let output = try OutputVocabulary([(base, 3), (tools, 5), (chat, 5)], unites: true)
    #expect(output.appended.map(\.text.string) == ["<t>", "<u>", "<v>"])
    #expect(output.appended.map(\.id) == [3, 4, 5])
    #expect(output.appended.map(\.flags.isSpecial) == [true, true, true])
    #expect(output.rowCount == 6)
    #expect(output.map(for: 1).sources[3...] == [.row(3, of: 1), .row(4, of: 1), .row(4, of: 2)])
    #expect(output.map(for: 2).sources[3...] == [.row(3, of: 1), .row(3, of: 2), .row(4, of: 2)])
  }

  @Test("Several models have a token that the base lacks: it gets their mean") func mean() throws {
    let output = try OutputVocabulary([(base, 3), (tools, 5), (chat, 5)], unites: true)
    let both = [RowMap.Place(model: 1, row: 4), RowMap.Place(model: 2, row: 3)]
    #expect(output.map(for: 0).sources[4] == .mean(of: both))
  }

  @Test("Several models have a token, the base among them: its row wins") func baseRow() throws {
    let output = try OutputVocabulary([(chat, 5), (base, 3), (tools, 5)], unites: true)
    #expect(output.map(for: 1).sources[3] == .row(3, of: 0))
    // Without a base it would be the mean.
    let none = try OutputVocabulary([(chat, 5), (base, 3), (tools, 5)], base: nil, unites: true)
    #expect(
      none.map(for: 1).sources[3]
        == .mean(of: [RowMap.Place(model: 0, row: 3), RowMap.Place(model: 2, row: 4)]))
  }

  @Test("Vocabularies of different words are not united, unless one insists") func refusal() throws
  {
    let other = TokenizerText.wordLevel(TokenizerText.words("a", "x", "c"))
    let conflict = try #require(throws: VocabularyConflict.self) {
      try OutputVocabulary([(base, 3), (other, 3)], unites: true)
    }
    #expect(conflict.pairs.map(\.second) == [1])
    #expect(conflict.pairs.first?.difference.onlyInSecond == 1)
    let forced = try OutputVocabulary(
      [(base, 3), (other, 3)], unites: true, allowsDeadTokens: true)
    #expect(forced.appended.map(\.text.string) == ["x"])
    #expect(forced.map(for: 0).sources[3] == .row(1, of: 1))
  }

  @Test("The base's vocabulary drops what others have in addition") func baseOnly() throws {
    let output = try OutputVocabulary([(base, 3), (chat, 5)], padding: .kept)
    #expect(output.rowCount == 3)
    #expect(output.map(for: 0).isIdentity(of: 0, rows: 3))
    #expect(output.map(for: 1) == RowMap(first: 3, of: 1))
    #expect(VocabularyReport(output).shares[1].dropped == ["<u>", "<v>"])
  }

  @Test("The vocabulary of another model brings rows in its order") func otherModel() throws {
    let swapped = TokenizerText.wordLevel(TokenizerText.words("c", "a", "b"), added: [(3, "<w>")])
    let output = try OutputVocabulary([(base, 3), (swapped, 4)], home: 1, padding: .kept)
    #expect(
      output.map(for: 0).sources
        == [.row(2, of: 0), .row(0, of: 0), .row(1, of: 0), .row(3, of: 1)])
    #expect(output.map(for: 1).isIdentity(of: 1, rows: 4))
  }

  @Test("Tokens without weights are taken out of the vocabulary and count as absent")
  func phantoms() throws {
    let output = try OutputVocabulary([(chat, 4), (tools, 5)], unites: true)
    #expect(output.stripped.map(\.text.string) == ["<v>"])
    #expect(output.appended.map(\.text.string) == ["<t>"])
    #expect(output.rowCount == 5)
    // The second model's token beyond its rows counts as absent there.
    let short = try OutputVocabulary([(base, 3), (chat, 4)], unites: true)
    #expect(short.appended.map(\.text.string) == ["<u>"])
    #expect(VocabularyReport(short).shares[1].phantoms == ["<v>"])
  }

  @Test("A recipe says where a token's row comes from, and may insist") func rules() throws {
    let zero = TokenRule(text: "<new>", source: .zero, isForced: false)
    let lent = TokenRule(text: "<lent>", source: .token("<v>", model: 1), isForced: false)
    let forced = TokenRule(text: "b", source: .row(2, model: 1), isForced: true)
    let polite = TokenRule(text: "a", source: .row(2, model: 1), isForced: false)
    let output = try OutputVocabulary(
      [(base, 3), (chat, 5)], rules: [zero, lent, forced, polite])
    #expect(output.appended.map(\.text.string) == ["<new>", "<lent>"])
    for model in 0...1 {
      #expect(
        output.map(for: model).sources
          == [.row(0, of: model), .row(2, of: 1), .row(2, of: model), .zero, .row(4, of: 1)])
    }
  }

  @Test("A token that no model has gets a row of zeros, and is reported") func absent() throws {
    let rule = TokenRule(text: "<new>", source: nil, isForced: false)
    let output = try OutputVocabulary([(base, 3)], rules: [rule])
    #expect(output.map(for: 0).sources[3] == .zero)
    #expect(VocabularyReport(output).zeros.map(\.text) == ["<new>"])
  }

  @Test("Padding to a multiple is made of the mean of all rows") func multiple() throws {
    let output = try OutputVocabulary(
      [(base, 3), (chat, 5)], unites: true, padding: .multiple(of: 8))
    #expect(output.rowCount == 8)
    let map = output.map(for: 0)
    #expect(map.averagedCount == 5)
    #expect(map.sources[5...] == [.average, .average, .average])
  }

  @Test("Padding is kept as it is, also where another model has a token there") func kept() throws {
    let output = try OutputVocabulary([(base, 6), (chat, 6)], padding: .kept)
    #expect(output.rowCount == 6)
    #expect(output.map(for: 0).isIdentity(of: 0, rows: 6))
    #expect(
      output.map(for: 1).sources[3...] == [.row(3, of: 0), .row(4, of: 0), .row(5, of: 1)])
    // Without it the padding goes.
    #expect(try OutputVocabulary([(base, 6), (chat, 6)], unites: true).rowCount == 5)
  }

  @Test("A row for which the tokenizer has no token stays with its model") func gap() throws {
    let gappy = TokenizerText.wordLevel([("a", 0), ("b", 1), ("c", 3)])
    let output = try OutputVocabulary([(gappy, 4), (gappy, 4)])
    #expect(output.tokens.count == 4)
    #expect(output.map(for: 1).isIdentity(of: 1, rows: 4))
  }

  @Test("A model without a tokenizer counts as having the base's") func unreadable() throws {
    let vocabulary = try TokenizerText.vocabulary(chat)
    let output = try OutputVocabulary(
      [
        VocabularyModel(name: "a", vocabulary: vocabulary, rows: 5),
        VocabularyModel(name: "b", vocabulary: nil, rows: 4),
      ], OutputVocabulary.Request(home: 0), taking: vocabulary)
    #expect(output.map(for: 1).sources[3...] == [.row(3, of: 1), .row(4, of: 0)])
  }

  @Test("The report says for each new token who has it and where its row comes from")
  func report() throws {
    let output = try OutputVocabulary([(base, 3), (chat, 5)], unites: true)
    let json = VocabularyReport(output).json
    #expect(json["added"]?.array?.count == 2)
    #expect(json["added"]?.array?.first?["row"] == ["model": "model1", "row": 3])
    #expect(json["models"]?.array?.first?["filled"] == 2)
  }
}
