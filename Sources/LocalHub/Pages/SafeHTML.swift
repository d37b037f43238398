// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What is left of HTML that somebody wrote into a card: harmless elements with harmless attributes.
///
/// A card is a stranger's text. Elements come piece by piece, as Markdown has them; what is opened is
/// closed in the end, and what was not opened cannot be closed, so that nothing gets out of the card.
struct SafeHTML {
  private let link: (String, _ isImage: Bool) -> String?
  private var open: [String] = []

  /// - Parameter link: The address to write in place of one in the card; nil for one that is refused.
  init(link: @escaping (String, _ isImage: Bool) -> String?) { self.link = link }

  private static let elements: Set<String> = [
    "a", "b", "blockquote", "br", "center", "code", "dd", "del", "details", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd",
    "li",
    "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody",
    "td",
    "th", "thead", "tr", "u", "ul",
  ]
  private static let single: Set<String> = ["br", "hr", "img"]
  /// Elements whose content is no text either.
  private static let dropped: Set<String> = ["script", "style", "iframe", "object", "svg", "math"]

  /// The harmless part of a piece of HTML.
  mutating func clean(_ text: String) -> String {
    var output = ""
    var rest = Substring(text)
    while let start = rest.firstIndex(of: "<") {
      output += Self.kept(rest[..<start])
      rest = rest[start...]
      if rest.hasPrefix("<!--") {
        rest = rest.firstRange(of: "-->").map { rest[$0.upperBound...] } ?? ""
      } else if let tag = Tag(&rest) {
        if !tag.isEnd, Self.dropped.contains(tag.name) {
          rest = rest.firstRange(of: "</\(tag.name)").map { rest[$0.lowerBound...] } ?? ""
        }
        output += written(tag)
      } else {
        output += "&lt;"
        rest = rest.dropFirst()
      }
    }
    return output + Self.kept(rest)
  }

  /// The ends of what is still open.
  mutating func closing() -> String {
    defer { open = [] }
    return open.reversed().map { "</\($0)>" }.joined()
  }

  /// Text between tags; entities in it stay.
  private static func kept(_ text: Substring) -> String {
    String(text.replacing("<", with: "&lt;").replacing(">", with: "&gt;"))
  }

  private mutating func written(_ tag: Tag) -> String {
    guard Self.elements.contains(tag.name) else { return "" }
    if tag.isEnd {
      guard let index = open.lastIndex(of: tag.name) else { return "" }
      let closed = open[index...].reversed().map { "</\($0)>" }.joined()
      open.removeSubrange(index...)
      return closed
    }
    if !Self.single.contains(tag.name) {
      guard open.count < 100 else { return "" }
      open.append(tag.name)
    }
    var text = "<\(tag.name)"
    for (name, value) in tag.attributes {
      if let value = allowed(name, value, of: tag.name) {
        text += " \(name)=\"\(HTML.escaped(value))\""
      }
    }
    return text + ">"
  }

  private func allowed(_ name: String, _ value: String, of element: String) -> String? {
    switch (element, name) {
    case ("a", "href"): return link(value, false)
    case ("img", "src"): return link(value, true)
    case (_, "alt"), (_, "title"): return value
    case (_, "open"): return "open"
    case (_, "align"):
      return ["left", "right", "center"].contains(value.lowercased()) ? value.lowercased() : nil
    case (_, "width"), (_, "height"), (_, "colspan"), (_, "rowspan"):
      let number = value.hasSuffix("%") ? value.dropLast() : value[...]
      return Int(number).map { (1...4000).contains($0) } == true ? value : nil
    default: return nil
    }
  }
}

/// A start or an end of an element, as somebody wrote it.
private struct Tag {
  let name: String
  let isEnd: Bool
  var attributes: [(name: String, value: String)] = []

  /// Takes a tag from the head of `text`; nil, and nothing taken, if there is none.
  init?(_ text: inout Substring) {
    var rest = text.dropFirst()
    isEnd = rest.first == "/"
    if isEnd { rest.removeFirst() }
    let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    guard name.first?.isLetter == true, name.count <= 32 else { return nil }
    self.name = name.lowercased()
    rest = rest[name.endIndex...]
    while true {
      rest = rest.drop { $0.isWhitespace || $0 == "/" }
      guard let first = rest.first else { return nil }
      if first == ">" {
        text = rest.dropFirst()
        return
      }
      let key = rest.prefix { !$0.isWhitespace && !"=>/\"'<".contains($0) }
      guard !key.isEmpty, attributes.count < 32 else { return nil }
      rest = rest[key.endIndex...].drop(while: \.isWhitespace)
      var value = ""
      if rest.first == "=" {
        rest = rest.dropFirst().drop(while: \.isWhitespace)
        guard let quote = rest.first else { return nil }
        if quote == "\"" || quote == "'" {
          guard let end = rest.dropFirst().firstIndex(of: quote) else { return nil }
          value = String(rest[rest.index(after: rest.startIndex)..<end])
          rest = rest[rest.index(after: end)...]
        } else {
          let bare = rest.prefix { !$0.isWhitespace && $0 != ">" }
          value = String(bare)
          rest = rest[bare.endIndex...]
        }
      }
      attributes.append((key.lowercased(), Self.unescaped(value)))
    }
  }

  /// Entities are what hides `javascript:` from who looks for it; the few that matter in addresses
  /// are read, and with any other the value is nobody's.
  private static func unescaped(_ text: String) -> String {
    guard text.contains("&") else { return text }
    let plain = text.replacing("&amp;", with: "&").replacing("&quot;", with: "\"")
      .replacing("&#39;", with: "'").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
    return plain.contains("&#") || plain.contains("&colon") || plain.contains("&Tab") ? "" : plain
  }
}
