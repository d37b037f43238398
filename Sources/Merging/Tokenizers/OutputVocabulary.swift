// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A model as far as its vocabulary goes.
package struct VocabularyModel: Sendable {
  package let name: String
  /// Nil if the model has none that can be read: it counts as having that of the base.
  package let vocabulary: Vocabulary?
  /// Rows of its embedding. Tokens whose ids lie beyond have no weights.
  package let rows: Int

  package init(name: String, vocabulary: Vocabulary?, rows: Int) {
    self.name = name
    self.vocabulary = vocabulary
    self.rows = rows
  }
}

/// What a recipe says about one token.
package struct TokenRule: Hashable, Sendable {
  package enum Source: Hashable, Sendable {
    case token(JSONKey, model: Int)
    case row(Int, model: Int)
    case zero
  }

  package let text: JSONKey
  /// Where its row comes from for models that lack it; nil for the usual rules.
  package let source: Source?
  /// Whether this holds for models that have the token, too.
  package let isForced: Bool

  package init(text: JSONKey, source: Source?, isForced: Bool) {
    self.text = text
    self.source = source
    self.isForced = isForced
  }
}

/// The vocabulary of a merged model: tokens, ids, and the number of rows.
///
/// The ids of the tokenizer that the output takes stay as they are; what is new follows them.
package struct OutputVocabulary: Sendable {
  /// What the output is to have.
  package struct Request: Sendable {
    /// Rows beyond the tokens.
    package enum Padding: Hashable, Sendable {
      case none
      /// As many as the model that the tokenizer comes from has.
      case kept
      case multiple(of: Int)
    }

    /// The model whose tokenizer the output takes.
    package var home: Int
    /// The base model, whose rows are preferred.
    package var base: Int?
    /// Whether the tokens that other models have in addition are taken in.
    package var unites = false
    /// Whether this is done even if they are words that the tokenizer will never make.
    package var allowsDeadTokens = false
    package var rules: [TokenRule] = []
    package var padding = Padding.none

    package init(home: Int) { self.home = home }
  }

  package let models: [VocabularyModel]
  package let request: Request
  /// The tokens that come after those of the tokenizer that is taken.
  package let appended: [AddedToken]
  /// The tokens of that tokenizer that have no weights and are taken out of it.
  package let stripped: [(text: JSONKey, id: Int)]
  /// The token of each id; nil where the tokenizer has none.
  package let tokens: [JSONKey?]
  /// Rows of the embedding.
  package let rowCount: Int
  /// For each model the id of each token of the output; -1 if it has no weights for it.
  let ids: [[Int32]]
  private let appendedIDs: [JSONKey: Int]

  /// - Parameters:
  ///   - models: In the order of the recipe.
  ///   - vocabulary: That of the model that the tokenizer is taken from.
  package init(
    _ models: [VocabularyModel], _ request: Request, taking vocabulary: Vocabulary
  ) throws(VocabularyConflict) {
    let home = request.home
    let rows = models[home].rows
    var tokens = vocabulary.tokens
    stripped = tokens.indices.dropFirst(rows).compactMap { id in
      tokens[id].map { (text: $0, id: id) }
    }
    tokens = Array(tokens.prefix(rows))
    while tokens.last == .some(nil) { tokens.removeLast() }

    var appended: [AddedToken] = []
    var appendedIDs: [JSONKey: Int] = [:]
    func append(_ text: JSONKey, _ flags: AddedToken.Flags) {
      if let id = vocabulary.id(of: text), id < rows { return }
      guard appendedIDs[text] == nil else { return }
      appendedIDs[text] = tokens.count
      appended.append(AddedToken(id: tokens.count, text: text, flags: flags))
      tokens.append(text)
    }
    if request.unites {
      try Self.checkWords(models, request, vocabulary)
      let order = [request.base].compactMap(\.self) + models.indices.filter { $0 != request.base }
      for model in order where model != home {
        guard let other = models[model].vocabulary else { continue }
        let flags = Dictionary(
          other.added.map { ($0.id, $0.flags) }, uniquingKeysWith: { one, _ in one })
        let candidates =
          request.allowsDeadTokens
          ? other.tokens.enumerated().compactMap { id, text in text.map { (id, $0) } }
          : other.added.map { ($0.id, $0.text) }
        for (id, text) in candidates where id < models[model].rows {
          append(text, flags[id] ?? .ofWord)
        }
      }
    }
    for rule in request.rules { append(rule.text, AddedToken.Flags()) }

    self.models = models
    self.request = request
    self.appended = appended
    self.tokens = tokens
    rowCount =
      switch request.padding {
      case .none: tokens.count
      case .kept: max(tokens.count, rows)
      case .multiple(let factor): (tokens.count + factor - 1) / factor * factor
      }
    self.appendedIDs = appendedIDs
    ids = models.map { model in
      let other = model.vocabulary ?? vocabulary
      func find(_ text: JSONKey) -> Int32 {
        other.id(of: text).flatMap { $0 < model.rows ? Int32($0) : nil } ?? -1
      }
      guard other.words === vocabulary.words else {
        return tokens.map { text in text.map(find) ?? -1 }
      }
      // Words have the ids of the output; only added tokens may have others.
      var ids = tokens.indices.map { id in
        tokens[id] != nil && id < model.rows ? Int32(id) : -1
      }
      for text in (vocabulary.added + other.added + appended).map(\.text) {
        let own = vocabulary.id(of: text).flatMap { $0 < rows ? $0 : nil }
        if let id = own ?? appendedIDs[text] { ids[id] = find(text) }
      }
      return ids
    }
  }

  /// The id of a token in the output.
  package func id(of text: JSONKey) -> Int? {
    let home = models[request.home]
    if let id = home.vocabulary?.id(of: text), id < home.rows { return id }
    return appendedIDs[text]
  }

  /// Refuses to unite vocabularies that differ in more than added tokens.
  private static func checkWords(
    _ models: [VocabularyModel], _ request: Request, _ vocabulary: Vocabulary
  ) throws(VocabularyConflict) {
    guard !request.allowsDeadTokens else { return }
    let differences = models.indices.compactMap { model in
      models[model].vocabulary.flatMap { VocabularyDifference(vocabulary, $0) }.map {
        VocabularyConflict.Pair(first: request.home, second: model, difference: $0)
      }
    }
    if !differences.isEmpty { throw VocabularyConflict(pairs: differences) }
  }
}

/// Models whose words differ, so that their vocabularies cannot be united.
package struct VocabularyConflict: Error, Sendable {
  package struct Pair: Hashable, Sendable {
    package let first: Int
    package let second: Int
    package let difference: VocabularyDifference
  }

  package let pairs: [Pair]
}
