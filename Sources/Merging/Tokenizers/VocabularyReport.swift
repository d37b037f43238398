// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// What becomes of the tokens in a merge, for people and for programs.
package struct VocabularyReport: Sendable {
  /// A token of the output, and where its row comes from for models without it.
  package struct Token: Sendable {
    package let id: Int
    package let text: String
    package let source: RowMap.Source
    /// Whether the recipe says where its row comes from.
    package let isRuled: Bool
    /// Whether models that have it get that row, too.
    package let isForced: Bool
    /// The models that have it.
    package let owners: [Int]
  }

  /// What concerns one of the models.
  package struct Share: Sendable {
    package let model: Int
    /// Its tokens that are not in the output, in the order of their ids.
    package let dropped: [String]
    /// How many tokens of the output it does not have and gets by the rules.
    package let filled: Int
    /// Its tokens that have no row, because its embedding is too short.
    package let phantoms: [String]
  }

  package let names: [String]
  /// The model that the tokenizer comes from.
  package let home: Int
  package let homeRows: Int
  package let tokenCount: Int
  package let rowCount: Int
  package let padding: OutputVocabulary.Request.Padding
  /// Those that the tokenizer did not have.
  package let added: [Token]
  /// Those that it had and that the recipe gives a row.
  package let given: [Token]
  package let shares: [Share]

  package init(_ vocabulary: OutputVocabulary) {
    let models = vocabulary.models
    let rules = OutputVocabulary.RowRules(
      vocabulary,
      rows: Dictionary(uniqueKeysWithValues: models.indices.map { ($0, models[$0].rows) }))
    names = models.map(\.name)
    home = vocabulary.request.home
    homeRows = models[vocabulary.request.home].rows
    tokenCount = vocabulary.tokens.count
    rowCount = vocabulary.rowCount
    padding = vocabulary.request.padding
    let ruled = Set(vocabulary.request.rules.filter { $0.source != nil }.map(\.text))
    let forced = Set(vocabulary.request.rules.filter(\.isForced).map(\.text))
    let token = { (id: Int, text: JSONKey) in
      Token(
        id: id, text: text.string, source: rules.defaultSource(of: id),
        isRuled: ruled.contains(text), isForced: forced.contains(text),
        owners: models.indices.filter { vocabulary.ids[$0][id] >= 0 })
    }
    added = vocabulary.appended.map { token($0.id, $0.text) }
    let new = Set(added.map(\.id))
    given = vocabulary.request.rules.compactMap { rule in
      guard rule.source != nil, let id = vocabulary.id(of: rule.text), !new.contains(id) else {
        return nil
      }
      return token(id, rule.text)
    }
    shares = models.indices.map { model in
      let tokens = models[model].vocabulary?.tokens ?? []
      let rows = models[model].rows
      var isTaken = [Bool](repeating: false, count: tokens.count)
      for id in vocabulary.ids[model] where id >= 0 && id < tokens.count { isTaken[Int(id)] = true }
      return Share(
        model: model,
        dropped: tokens.indices.prefix(rows).compactMap { isTaken[$0] ? nil : tokens[$0]?.string },
        filled: vocabulary.tokens.indices.count {
          vocabulary.tokens[$0] != nil && vocabulary.ids[model][$0] < 0
        },
        phantoms: tokens.dropFirst(rows).compactMap { $0?.string })
    }
  }

  /// The tokens whose row is zero because no model has them and the recipe does not say.
  package var zeros: [Token] { added.filter { $0.source == .zero && !$0.isRuled } }

  /// The report for programs.
  package var json: JSON {
    .object([
      "tokenizer_from": .string(names[home]), "tokens": .int(tokenCount), "rows": .int(rowCount),
      "padding_rows": .int(rowCount - tokenCount), "padding": .string(padding.name),
      "added": .array(added.map(json)), "given": .array(given.map(json)),
      "models": .array(
        shares.map {
          .object([
            "model": .string(names[$0.model]), "filled": .int($0.filled),
            "dropped": .array($0.dropped.map(JSON.string)),
            "without_row": .array($0.phantoms.map(JSON.string)),
          ])
        }),
    ])
  }

  private func json(_ token: Token) -> JSON {
    .object([
      "id": .int(token.id), "token": .string(token.text),
      "models": .array(token.owners.map { .string(names[$0]) }), "row": json(token.source),
      "forced": .bool(token.isForced),
    ])
  }

  private func json(_ source: RowMap.Source) -> JSON {
    func place(_ place: RowMap.Place) -> JSON {
      ["model": .string(names[place.model]), "row": .int(place.row)]
    }
    return switch source {
    case .rows(let from): place(from)
    case .mean(let places): ["mean_of": .array(places.map(place))]
    case .zero: "zero"
    case .average: "average"
    }
  }
}

extension OutputVocabulary.Request.Padding {
  /// What the rows beyond the tokens are.
  package var name: String {
    switch self {
    case .none: "none"
    case .kept: "kept"
    case .multiple: "mean"
    }
  }
}
