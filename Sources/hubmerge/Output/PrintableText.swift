// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension String {
  /// The text on one line, with nothing that acts on a terminal: control characters and those that turn the
  /// direction of writing are spelt out.
  var printable: String { escaping { $0.actsOnTerminals } }

  /// The same for a text of several lines.
  var printableLines: String { escaping { $0 != "\n" && $0 != "\t" && $0.actsOnTerminals } }

  /// The same with as many characters as before, so that a caret below points at the right one.
  var printableColumns: String {
    var text = ""
    for scalar in unicodeScalars {
      text.unicodeScalars.append(scalar != "\t" && scalar.actsOnTerminals ? "\u{fffd}" : scalar)
    }
    return text
  }

  private func escaping(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if isEscaped(scalar) {
        text += scalar.escaped(asASCII: true)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension Unicode.Scalar {
  fileprivate var actsOnTerminals: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: (0x202a...0x202e).contains(value) || (0x2066...0x2069).contains(value)
    default: false
    }
  }
}
