// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// How Python spells values: `str`, `repr` and `json.dumps`.
extension JinjaValue {
  /// What an output tag prints.
  var text: String {
    switch self {
    case .undefined: ""
    case .string(let text): text
    default: spelled
    }
  }

  /// What the value looks like inside of a list.
  var spelled: String {
    var text = ""
    spell(into: &text)
    return text
  }

  private func spell(into text: inout String) {
    switch self {
    case .undefined: text += "Undefined"
    case .none: text += "None"
    case .bool(let value): text += value ? "True" : "False"
    case .int(let value): text += String(value)
    case .float(let value): text += value.pythonSpelling
    case .string(let value): value.spell(into: &text)
    case .list(let list): list.spell(in: ("[", "]"), into: &text)
    case .tuple(let list):
      list.spell(in: ("(", list.elements.count == 1 ? ",)" : ")"), into: &text)
    case .map(let map):
      text += "{"
      for (index, (key, value)) in zip(map.keys, map.values).enumerated() {
        if index > 0 { text += ", " }
        key.spell(into: &text)
        text += ": "
        value.spell(into: &text)
      }
      text += "}"
    case .namespace: text += "<Namespace>"
    case .loop(let loop): text += "<LoopContext \(loop.index + 1)/\(loop.elements.count)>"
    }
  }
}

extension JinjaList {
  fileprivate func spell(in brackets: (String, String), into text: inout String) {
    text += brackets.0
    for (index, element) in elements.enumerated() {
      if index > 0 { text += ", " }
      if element.isUndefined { text += "Undefined" } else { text += element.spelled }
    }
    text += brackets.1
  }
}

extension String {
  fileprivate func spell(into text: inout String) {
    let quote: Unicode.Scalar =
      utf8.contains(UInt8(ascii: "'")) && !utf8.contains(UInt8(ascii: "\"")) ? "\"" : "'"
    text.unicodeScalars.append(quote)
    for scalar in unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case quote: text += "\\\(quote)"
      default:
        if scalar.isPythonPrintable {
          text.unicodeScalars.append(scalar)
        } else {
          switch scalar.value {
          case ..<0x100: text += "\\x" + scalar.value.hex(2)
          case ..<0x10000: text += "\\u" + scalar.value.hex(4)
          default: text += "\\U" + scalar.value.hex(8)
          }
        }
      }
    }
    text.unicodeScalars.append(quote)
  }
}

extension Unicode.Scalar {
  fileprivate var isPythonPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: self == " "
    default: true
    }
  }
}

extension UInt32 {
  func hex(_ digits: Int) -> String {
    let text = String(self, radix: 16)
    return String(repeating: "0", count: Swift.max(0, digits - text.utf8.count)) + text
  }
}

// MARK: JSON

extension JinjaValue {
  /// The text of Jinja's `tojson`: keys sorted, ASCII only, safe inside of HTML.
  ///
  /// Nil if a part of the value has no JSON form.
  func json(indent: String?) -> String? {
    var text = ""
    return writeJSON(into: &text, indent: indent, margin: "\n") ? text : nil
  }

  private func writeJSON(into text: inout String, indent: String?, margin: String) -> Bool {
    switch self {
    case .undefined, .namespace, .loop: return false
    case .none: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .float(let value):
      text +=
        value.isNaN
        ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.pythonSpelling
    case .string(let value): value.writeJSON(into: &text)
    case .list(let list), .tuple(let list):
      let inner = margin + (indent ?? "")
      text += "["
      for (index, element) in list.elements.enumerated() {
        if index > 0 { text += indent == nil ? ", " : "," }
        if indent != nil { text += inner }
        guard element.writeJSON(into: &text, indent: indent, margin: inner) else { return false }
      }
      if indent != nil, !list.elements.isEmpty { text += margin }
      text += "]"
    case .map(let map):
      let inner = margin + (indent ?? "")
      text += "{"
      let sorted = zip(map.keys, map.values).sorted {
        $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
      }
      for (index, (key, value)) in sorted.enumerated() {
        if index > 0 { text += indent == nil ? ", " : "," }
        if indent != nil { text += inner }
        key.writeJSON(into: &text)
        text += ": "
        guard value.writeJSON(into: &text, indent: indent, margin: inner) else { return false }
      }
      if indent != nil, !sorted.isEmpty { text += margin }
      text += "}"
    }
    return true
  }
}

extension String {
  fileprivate func writeJSON(into text: inout String) {
    text += "\""
    for unit in utf16 {
      switch unit {
      case 0x22: text += "\\\""
      case 0x5C: text += "\\\\"
      case 0x08: text += "\\b"
      case 0x09: text += "\\t"
      case 0x0A: text += "\\n"
      case 0x0C: text += "\\f"
      case 0x0D: text += "\\r"
      case 0x26, 0x27, 0x3C, 0x3E: text += "\\u" + UInt32(unit).hex(4)
      case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default: text += "\\u" + UInt32(unit).hex(4)
      }
    }
    text += "\""
  }
}
