// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The parts of a card that its owner wrote and that the next run leaves alone: what stands between lines
/// `<!-- hubmerge:keep -->` and `<!-- /hubmerge:keep -->`, outside of code blocks.
package struct KeptSections: Sendable, Hashable {
  package static let opening = "<!-- hubmerge:keep -->"
  package static let closing = "<!-- /hubmerge:keep -->"

  /// The texts between the markers, in order; each is empty or ends with a line end.
  package let texts: [String]

  package init(of card: String) {
    texts = Self.pieces(of: card).compactMap { if case .kept(let text) = $0 { text } else { nil } }
  }

  /// A new card with these sections: at its own markers in order, what is left over at the end.
  ///
  /// Its own markers beyond those that there are sections for keep their content.
  package func inserted(into card: String) -> String {
    var rest = texts[...]
    var result = ""
    for piece in Self.pieces(of: card) {
      switch piece {
      case .text(let text): result += text
      case .kept(let text):
        result += "\(Self.opening)\n\(rest.popFirst() ?? text)\(Self.closing)\n"
      }
    }
    for text in rest where !text.isEmpty {
      result += "\n\(Self.opening)\n\(text)\(Self.closing)\n"
    }
    return result
  }

  private enum Piece {
    case text(String)
    case kept(String)
  }

  /// The card in pieces; a marker without its other half is text.
  private static func pieces(of card: String) -> [Piece] {
    var pieces: [Piece] = []
    var text = ""
    var kept: String?
    var fence: Substring.UTF8View.SubSequence?
    for line in card.linesWithEnds {
      let word = line.trimmed
      if kept == nil, let open = fence {
        if word.utf8.count >= open.count, word.utf8.allSatisfy({ $0 == open.first }) { fence = nil }
      } else if kept == nil, let mark = word.utf8.first,
        mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~")
      {
        let run = word.utf8.prefix { $0 == mark }
        if run.count >= 3 { fence = run }
      } else if kept == nil, word == opening {
        kept = ""
        continue
      } else if let section = kept, word == closing {
        pieces += [.text(text), .kept(section)]
        (text, kept) = ("", nil)
        continue
      }
      if kept == nil { text += line } else { kept? += line }
    }
    if let kept { text += "\(opening)\n\(kept)" }
    return pieces + [.text(text)]
  }
}

extension String {
  fileprivate var linesWithEnds: [Substring] {
    var lines: [Substring] = []
    var start = startIndex
    while start < endIndex {
      let end = utf8[start...].firstIndex(of: UInt8(ascii: "\n")).map { utf8.index(after: $0) }
      lines.append(self[start..<(end ?? endIndex)])
      start = end ?? endIndex
    }
    return lines
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let blanks = Array(" \t\r\n".utf8)
    var bytes = utf8.drop { blanks.contains($0) }
    while let last = bytes.last, blanks.contains(last) { bytes.removeLast() }
    return Substring(bytes)
  }
}
