// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

@testable internal import Merging

/// The text of a small tokenizer.json.
enum TokenizerText {
  static func added(_ tokens: [(Int, String)], isSpecial: Bool = true) -> String {
    tokens.map { id, text in
      """
      {"id": \(id), "content": "\(text)", "single_word": false, "lstrip": false, \
      "rstrip": false, "normalized": false, "special": \(isSpecial)}
      """
    }.joined(separator: ", ")
  }

  static func wordLevel(_ words: [(String, Int)], added: [(Int, String)] = []) -> String {
    let vocab = words.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
    return """
      {"version": "1.0", "added_tokens": [\(Self.added(added))], "normalizer": null, \
      "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null, \
      "model": {"type": "WordLevel", "vocab": {\(vocab)}, "unk_token": "a"}}
      """
  }

  static func words(_ texts: String...) -> [(String, Int)] {
    texts.enumerated().map { ($1, $0) }
  }

  static func bpe(added: [(Int, String)], asLists: Bool = false) -> String {
    let merges = asLists ? #"["a", "b"], ["ab", "c"]"# : #""a b", "ab c""#
    return """
      {"added_tokens": [\(Self.added(added))], "normalizer": null, "pre_tokenizer": null,
       "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4},
                 "merges": [\(merges)]}}
      """
  }

  static func unigram(_ words: [String], added: [(Int, String)] = []) -> String {
    let vocab = words.map { "[\"\($0)\", -1.5]" }.joined(separator: ", ")
    return """
      {"added_tokens": [\(Self.added(added))], "model": {"type": "Unigram", "unk_id": 0, \
      "vocab": [\(vocab)]}}
      """
  }

  static func vocabulary(_ text: String) throws -> Vocabulary {
    try TokenizerDocument(parsing: Array(text.utf8)).vocabulary
  }
}

extension OutputVocabulary {
  /// The output of models given as the texts of their tokenizers and their numbers of rows.
  init(
    _ models: [(text: String, rows: Int)], home: Int = 0, base: Int? = 0, unites: Bool = false,
    rules: [TokenRule] = [], padding: Request.Padding = .none, allowsDeadTokens: Bool = false
  ) throws {
    let vocabularies = try models.map { try TokenizerText.vocabulary($0.text) }
    var request = Request(home: home)
    request.base = base
    request.unites = unites
    request.rules = rules
    request.padding = padding
    request.allowsDeadTokens = allowsDeadTokens
    try self.init(
      models.indices.map {
        VocabularyModel(name: "model\($0)", vocabulary: vocabularies[$0], rows: models[$0].rows)
      }, request, taking: vocabularies[home])
  }

  /// The map of a model when every model has the tensor.
  func map(for model: Int) -> RowMap {
    RowRules(
      self, rows: Dictionary(uniqueKeysWithValues: models.indices.map { ($0, models[$0].rows) })
    )
    .map(for: model)
  }
}

extension RowMap {
  /// One source for each row.
  var sources: [Source] {
    (0..<count).flatMap { row in segments(in: row..<row + 1).map(\.source) }
  }
}

extension RowMap.Source {
  static func row(_ row: Int, of model: Int) -> Self {
    .rows(from: RowMap.Place(model: model, row: row))
  }
}
