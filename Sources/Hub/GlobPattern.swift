// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A file name pattern as Python's `fnmatchcase` reads it, matched against a whole path.
///
/// `*` is any run of characters, `/` among them; `?` is one character; `[seq]` and `[!seq]` are one of a
/// set. There is no escape character.
package struct GlobPattern: Sendable {
  private enum Token: Sendable {
    case run
    case anyone
    case one(Unicode.Scalar)
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
  }

  package let text: String
  private let tokens: [Token]

  /// A pattern that ends in `/` means all that is below that folder.
  package init(_ text: String) {
    self.text = text
    tokens = Self.parse(Array((text.hasSuffix("/") ? text + "*" : text).unicodeScalars))
  }

  /// Whether it matches one path only: its own text.
  var isLiteral: Bool {
    tokens.allSatisfy { if case .one = $0 { true } else { false } }
  }

  /// Whether the whole of `path` matches.
  package func matches(_ path: String) -> Bool {
    let scalars = Array(path.unicodeScalars)
    var (position, token) = (0, 0)
    // Where to go on with one more character inside the last `*`, if what follows it fails.
    var retry: (position: Int, token: Int)?
    while position < scalars.count {
      if token < tokens.count, case .run = tokens[token] {
        token += 1
        retry = (position, token)
      } else if token < tokens.count, Self.matches(tokens[token], scalars[position]) {
        position += 1
        token += 1
      } else if let last = retry {
        position = last.position + 1
        token = last.token
        retry = (position, token)
      } else {
        return false
      }
    }
    return tokens[token...].allSatisfy { if case .run = $0 { true } else { false } }
  }

  private static func matches(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
    switch token {
    case .run: false
    case .anyone: true
    case .one(let expected): scalar == expected
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }

  private static func parse(_ pattern: [Unicode.Scalar]) -> [Token] {
    var tokens: [Token] = []
    var index = 0
    while index < pattern.count {
      let scalar = pattern[index]
      index += 1
      switch scalar {
      case "*":
        if case .run = tokens.last { continue }
        tokens.append(.run)
      case "?": tokens.append(.anyone)
      case "[":
        // A "]" right after the opening belongs to the set; without an end, "[" is itself.
        var end = index
        if end < pattern.count, pattern[end] == "!" { end += 1 }
        if end < pattern.count, pattern[end] == "]" { end += 1 }
        while end < pattern.count, pattern[end] != "]" { end += 1 }
        if end < pattern.count {
          tokens.append(set(Array(pattern[index..<end])))
          index = end + 1
        } else {
          tokens.append(.one("["))
        }
      default: tokens.append(.one(scalar))
      }
    }
    return tokens
  }

  /// The set between brackets; ranges that run backwards are dropped, as Python drops them.
  private static func set(_ content: [Unicode.Scalar]) -> Token {
    let isNegated = content.first == "!"
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    var index = isNegated ? 1 : 0
    while index < content.count {
      if index + 2 < content.count, content[index + 1] == "-" {
        if content[index] <= content[index + 2] {
          ranges.append(content[index]...content[index + 2])
        }
        index += 3
      } else {
        ranges.append(content[index]...content[index])
        index += 1
      }
    }
    return .set(ranges, isNegated: isNegated)
  }
}
