// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// What becomes of the tokens in a merge, for people and for programs.
package struct VocabularyReport: Sendable {
  /// A token of the output that the tokenizer did not have, and where its row comes from for models without it.
  package struct Added: Sendable {
    package let id: Int
    package let text: String
    package let source: RowMap.Source
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
  package let added: [Added]
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
    added = vocabulary.appended.map { token in
      Added(
        id: token.id, text: token.text.string, source: rules.defaultSource(of: token.id),
        owners: models.indices.filter { vocabulary.ids[$0][token.id] >= 0 })
    }
    let known = Set(vocabulary.tokens.compactMap(\.self))
    shares = models.indices.map { model in
      let tokens = models[model].vocabulary?.tokens ?? []
      let rows = models[model].rows
      return Share(
        model: model,
        dropped: tokens.prefix(rows).compactMap(\.self).filter { !known.contains($0) }
          .map(\.string),
        filled: vocabulary.tokens.indices.count {
          vocabulary.tokens[$0] != nil && vocabulary.ids[model][$0] < 0
        },
        phantoms: tokens.dropFirst(rows).compactMap { $0?.string })
    }
  }

  /// The tokens whose row is zero because no model has them and the recipe does not say.
  package var zeros: [Added] { added.filter { $0.source == .zero } }

  /// The report for programs.
  package var json: JSON {
    .object([
      "tokenizer_from": .string(names[home]), "tokens": .int(tokenCount), "rows": .int(rowCount),
      "padding_rows": .int(rowCount - tokenCount),
      "added": .array(
        added.map {
          .object([
            "id": .int($0.id), "token": .string($0.text),
            "models": .array($0.owners.map { .string(names[$0]) }), "row": json($0.source),
          ])
        }),
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
