// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// An access token. Its text is shown by no description, and goes to the Hub's own origin only.
package struct Token: Sendable, Hashable {
  private let text: String

  /// A token from its text; line ends and blanks around it are dropped. Nil if nothing is left, or if
  /// it holds characters that no header may carry.
  package init?(_ text: String) {
    let kept = text.filter { !$0.isNewline }
    let trimmed = kept.drop { $0 == " " || $0 == "\t" }
    guard let last = trimmed.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return nil }
    self.text = String(trimmed[...last])
    guard self.text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
  }

  /// The value of the `Authorization` header.
  var authorization: String { "Bearer \(text)" }

  /// The bare text, for the one request whose body has to hold it.
  var secret: String { text }

  /// `message` with this token's text, should a server have repeated it, made unreadable.
  func redacting(_ message: String) -> String {
    var parts: [Substring] = []
    var rest = message[...]
    while let found = rest.firstRange(of: text) {
      parts.append(rest[..<found.lowerBound])
      rest = rest[found.upperBound...]
    }
    return (parts + [rest]).joined(separator: "<token>")
  }
}

extension Token: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<token>" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
