// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Merging

extension VocabularyReport {
  /// One line about how many tokens and rows there are.
  var summary: String {
    var parts = ["\(tokenCount - added.count) of \(names[home])"]
    if !added.isEmpty { parts.append("\(added.count) added") }
    let rows = rowCount - tokenCount
    if rows > 0 {
      parts.append("\(rows) rows of padding" + (padding == .kept ? "" : " (mean of the others)"))
    }
    return parts.joined(separator: ", ") + ": \(rowCount) rows"
  }

  /// What became of tokens, each line with its label; long lists are cut.
  var details: [(label: String, text: String)] {
    var lines = added.prefix(Self.shown).map { ("added", text($0)) }
    if added.count > Self.shown {
      lines.append(("added", "and \(added.count - Self.shown) more, which --json lists"))
    }
    lines += given.prefix(Self.shown).map { ("given", text($0)) }
    if given.count > Self.shown {
      lines.append(("given", "and \(given.count - Self.shown) more, which --json lists"))
    }
    for share in shares {
      let name = names[share.model]
      if share.filled > 0 {
        lines.append(("filled", "\(Quantity.plural(share.filled, "token")) that \(name) lacks"))
      }
      if !share.dropped.isEmpty {
        lines.append(
          ("dropped", "\(Quantity.plural(share.dropped.count, "token")) that only \(name) has"))
      }
    }
    return lines
  }

  private static let shown = 8

  private func text(_ token: Token) -> String {
    "\(token.id) \(token.text): \(text(token.source))" + (token.isForced ? ", for all models" : "")
  }

  private func text(_ source: RowMap.Source) -> String {
    func place(_ place: RowMap.Place) -> String { "row \(place.row) of \(names[place.model])" }
    return switch source {
    case .rows(let from): place(from)
    case .mean(let places): "mean of " + places.map(place).joined(separator: " and ")
    case .zero: "zeros"
    case .average: "mean of the others"
    }
  }
}
