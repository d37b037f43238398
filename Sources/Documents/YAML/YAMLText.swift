// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Spelling values so that any YAML reader, PyYAML above all, reads back the same ones.
package enum YAMLText {
  /// A string as a block scalar can hold it: plain where that reads back as this string, else
  /// quoted.
  package static func scalar(_ text: String) -> String {
    guard text.unicodeScalars.allSatisfy(\.isPrintableOnOneLine) else { return doubleQuoted(text) }
    if isSafePlain(text) { return text }
    return "'"
      + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// Whether a text of printable characters needs no quotes in a block.
  private static func isSafePlain(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last else { return false }
    guard YAMLTag(ofPlain: text) == .string, first != UInt8(ascii: " "), last != UInt8(ascii: " "),
      last != UInt8(ascii: ":"), !text.hasPrefix("---"), !text.hasPrefix("...")
    else { return false }
    if "-?:".utf8.contains(first), bytes.count == 1 || bytes[1] == UInt8(ascii: " ") {
      return false
    }
    if ",[]{}#&*!|>'\"%@`".utf8.contains(first) { return false }
    return zip(bytes, bytes.dropFirst()).allSatisfy { pair in
      pair != (UInt8(ascii: ":"), UInt8(ascii: " "))
        && pair != (UInt8(ascii: " "), UInt8(ascii: "#"))
    }
  }

  private static func doubleQuoted(_ text: String) -> String {
    var output = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += #"\""#
      case "\\": output += #"\\"#
      case "\n": output += #"\n"#
      case "\t": output += #"\t"#
      case "\r": output += #"\r"#
      case _ where scalar.isPrintableOnOneLine: output.unicodeScalars.append(scalar)
      case _ where scalar.value <= 0xFF: output += #"\x"# + hexadecimal(scalar.value, digits: 2)
      case _ where scalar.value <= 0xFFFF: output += #"\u"# + hexadecimal(scalar.value, digits: 4)
      default: output += #"\U"# + hexadecimal(scalar.value, digits: 8)
      }
    }
    return output + "\""
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(digits - text.utf8.count, 0)) + text
  }
}

extension Unicode.Scalar {
  /// YAML's printable characters without tabs, line breaks of any kind and the byte order mark.
  fileprivate var isPrintableOnOneLine: Bool {
    switch value {
    case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
      0x10000...0x10FFFF:
      true
    default: false
    }
  }
}

// MARK: - Trees

extension JSON {
  /// This value as block YAML with a line end, laid out like `yaml.dump(sort_keys=False,
  /// allow_unicode=True)`: lists start in the column of their key. Empty lists and mappings are
  /// `[]` and `{}`.
  package var yaml: String {
    var lines: [String] = []
    appendYAML(to: &lines, indentation: "", isInList: false, prefix: "")
    return lines.map { $0 + "\n" }.joined()
  }

  /// Appends this value, the first line of it behind `prefix`, which is a key with its colon or
  /// dashes of lists.
  fileprivate func appendYAML(
    to lines: inout [String], indentation: String, isInList: Bool, prefix: String
  ) {
    switch self {
    case .array(let elements) where !elements.isEmpty:
      // A list under a key starts its own line; a list in a list goes on behind the dash.
      if !prefix.isEmpty, !isInList { lines.append(prefix) }
      for (index, element) in elements.enumerated() {
        let start = isInList && index == 0 ? prefix : indentation
        element.appendYAML(
          to: &lines, indentation: indentation + "  ", isInList: true, prefix: start + "- ")
      }
    case .object(let members) where !members.isEmpty:
      if !prefix.isEmpty, !isInList { lines.append(prefix) }
      for (index, member) in members.enumerated() {
        let start = isInList && index == 0 ? prefix : indentation
        member.appendYAML(to: &lines, indentation: indentation, start: start)
      }
    case _ where prefix.isEmpty || isInList: lines.append(prefix + yamlScalar)
    default: lines.append(prefix + " " + yamlScalar)
    }
  }

  /// A value that takes no lines of its own.
  private var yamlScalar: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let text): Self.yamlNumber(text)
    case .string(let text): YAMLText.scalar(text)
    case .array: "[]"
    case .object: "{}"
    }
  }

  /// YAML 1.1 wants a point and a signed exponent: `1e5` would be a string.
  private static func yamlNumber(_ text: String) -> String {
    guard let place = text.utf8.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
      return text
    }
    let mantissa = text[..<place]
    let exponent = text[text.utf8.index(after: place)...]
    return mantissa + (mantissa.utf8.contains(UInt8(ascii: ".")) ? "" : ".0") + "e"
      + ("+-".utf8.contains(exponent.utf8.first ?? 0) ? "" : "+") + exponent
  }
}

extension JSON.Member {
  fileprivate func appendYAML(to lines: inout [String], indentation: String, start: String) {
    // Readers look for the colon of a key on its line and at most 1024 characters on.
    let key = YAMLText.scalar(self.key)
    let isLong = key.unicodeScalars.count > 1000
    if isLong { lines.append(start + "? " + key) }
    let prefix = isLong ? indentation + ":" : start + key + ":"
    let isMapping = value.members.map { !$0.isEmpty } ?? false
    value.appendYAML(
      to: &lines, indentation: isMapping ? indentation + "  " : indentation, isInList: false,
      prefix: prefix)
  }
}
