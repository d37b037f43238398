// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

extension OutputVocabulary {
  /// The rules by which rows are found for one tensor with a row for each token.
  package struct RowRules {
    private let vocabulary: OutputVocabulary
    /// For each model that has the tensor the number of its rows.
    private let rows: [Int: Int]
    private let holders: [Int]
    private let rules: [Int: TokenRule]
    /// The tokens whose rows the recipe decides for every model.
    private let forced: Set<Int>

    /// - Parameter rows: For each model that has the tensor, by its number, how many rows it has.
    package init(_ vocabulary: OutputVocabulary, rows: [Int: Int]) {
      self.vocabulary = vocabulary
      self.rows = rows
      holders = rows.keys.sorted()
      var rules: [Int: TokenRule] = [:]
      for rule in vocabulary.request.rules {
        if let id = vocabulary.id(of: rule.text) { rules[id] = rule }
      }
      self.rules = rules
      forced = Set(rules.keys.filter { rules[$0]?.isForced == true })
    }

    /// The rows of the output for one of the models.
    package func map(for model: Int) -> RowMap {
      var map = RowMap()
      var row = 0
      while row < vocabulary.tokens.count {
        let run = ownRun(from: row, of: model)
        map.append(source(of: row, for: model), count: max(1, run))
        row += max(1, run)
      }
      let padding = vocabulary.rowCount - vocabulary.tokens.count
      if case .multiple = vocabulary.request.padding {
        map.append(.average, count: padding)
      } else {
        for row in vocabulary.tokens.count..<vocabulary.rowCount {
          map.append(unnamed(row, for: model))
        }
      }
      return map
    }

    /// How many tokens from this one on have rows of the model that follow one another, too.
    private func ownRun(from row: Int, of model: Int) -> Int {
      let ids = vocabulary.ids[model]
      let first = ids[row]
      guard first >= 0, let rows = rows[model] else { return 0 }
      var end = row
      while end < ids.count, Int(ids[end]) == Int(first) + end - row, ids[end] < rows,
        forced.isEmpty || !forced.contains(end)
      {
        end += 1
      }
      return end - row
    }

    private func source(of row: Int, for model: Int) -> RowMap.Source {
      guard vocabulary.tokens[row] != nil else { return unnamed(row, for: model) }
      if forced.contains(row) { return defaultSource(of: row) }
      return place(of: row, in: model).map(RowMap.Source.rows) ?? defaultSource(of: row)
    }

    private func place(of token: Int, in model: Int) -> RowMap.Place? {
      let id = Int(vocabulary.ids[model][token])
      guard id >= 0, let rows = rows[model], id < rows else { return nil }
      return RowMap.Place(model: model, row: id)
    }

    /// What a model gets that lacks a token: as the recipe says; else the row of the one model that has it, of the
    /// base if several have it, their mean if the base is not among them, and zero if none has it.
    package func defaultSource(of token: Int) -> RowMap.Source {
      if let source = rules[token]?.source { return explicit(source) }
      let places = holders.compactMap { place(of: token, in: $0) }
      guard places.count > 1 else { return places.first.map(RowMap.Source.rows) ?? .zero }
      if let base = places.first(where: { $0.model == vocabulary.request.base }) {
        return .rows(from: base)
      }
      return .mean(of: places)
    }

    private func explicit(_ source: TokenRule.Source) -> RowMap.Source {
      let (row, model): (Int?, Int)
      switch source {
      case .zero: return .zero
      case .row(let id, let owner): (row, model) = (id, owner)
      case .token(let text, let owner):
        (row, model) = (vocabulary.id(of: text, inModel: owner), owner)
      }
      guard let row, let rows = rows[model], row < rows else { return .zero }
      return .rows(from: RowMap.Place(model: model, row: row))
    }

    /// A row without a token stays what it is in a model where it has none either; else it is that of the model
    /// that the tokenizer comes from.
    private func unnamed(_ row: Int, for model: Int) -> RowMap.Source {
      for owner in [model, vocabulary.request.home] {
        guard let rows = rows[owner], row < rows else { continue }
        if vocabulary.models[owner].vocabulary?.hasToken(row) != true {
          return .rows(from: RowMap.Place(model: owner, row: row))
        }
      }
      return .zero
    }
  }

  /// The id of a token in one of the models, if it has weights for it.
  package func id(of text: JSONKey, inModel model: Int) -> Int? {
    let owner = models[model].vocabulary ?? models[request.home].vocabulary
    return owner?.id(of: text).flatMap { $0 < models[model].rows ? $0 : nil }
  }
}
