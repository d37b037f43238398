// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// One word of a template.
struct JinjaToken: Sendable {
  enum Kind: Hashable, Sendable {
    case text(String)
    case variableBegin, variableEnd, blockBegin, blockEnd
    case name(String)
    case string(String)
    case int(Int)
    case float(Double)
    case mark(String)
    case end
  }

  let kind: Kind
  let position: JinjaPosition
}

extension JinjaToken.Kind {
  /// The token as an error message shows it.
  var spelling: String {
    switch self {
    case .text: "template text"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .name(let text), .mark(let text): "'\(text)'"
    case .string: "string"
    case .int(let value): "\(value)"
    case .float(let value): "\(value)"
    case .end: "end of template"
    }
  }
}

/// Cuts the source of a template into tokens and applies the whitespace control.
struct JinjaLexer {
  private let source: [Unicode.Scalar]
  private let template: String
  private var at = 0
  private var position = JinjaPosition()
  private var result: [JinjaToken] = []

  init(_ source: String, template: String) {
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(source.utf8.count)
    var afterReturn = false
    for scalar in source.unicodeScalars {
      if scalar != "\n" || !afterReturn { scalars.append(scalar == "\r" ? "\n" : scalar) }
      afterReturn = scalar == "\r"
    }
    if scalars.last == "\n" { scalars.removeLast() }
    self.source = scalars
    self.template = template
  }

  /// All tokens, the last of them `.end`.
  mutating func tokens() throws(JinjaError) -> [JinjaToken] {
    while at < source.count {
      let start = position
      let text = textUntilTag()
      if at == source.count {
        append(text: text, at: start)
        break
      }
      let opening = position
      let tag = source[at + 1]
      advance(2)
      let isTrimming = peek == "-"
      if peek == "-" || peek == "+" { advance(1) }
      append(text: isTrimming ? text.trimmingEnd : text, at: start)
      switch tag {
      case "#": try comment(from: opening)
      case "{": try expression(.variableBegin, until: "}}", from: opening)
      default:
        if !(try raw(from: opening)) { try expression(.blockBegin, until: "%}", from: opening) }
      }
    }
    add(.end, at: position)
    return result
  }

  // MARK: Outside of tags

  private mutating func textUntilTag() -> ArraySlice<Unicode.Scalar> {
    let start = at
    while at < source.count, !(starts(with: "{{") || starts(with: "{%") || starts(with: "{#")) {
      advance(1)
    }
    return source[start..<at]
  }

  private mutating func append(text: ArraySlice<Unicode.Scalar>, at start: JinjaPosition) {
    if !text.isEmpty { add(.text(String(text)), at: start) }
  }

  private mutating func comment(from opening: JinjaPosition) throws(JinjaError) {
    let start = at
    while at < source.count {
      if starts(with: "#}") {
        let isTrimming = at > start && source[at - 1] == "-"
        advance(2)
        if isTrimming { skipSpace() }
        return
      }
      advance(1)
    }
    throw error("Missing end of comment tag", at: opening)
  }

  /// Consumes a raw block if one begins here.
  private mutating func raw(from opening: JinjaPosition) throws(JinjaError) -> Bool {
    let saved = (at, position)
    skipSpace()
    guard starts(with: "raw") else {
      (at, position) = saved
      return false
    }
    advance(3)
    skipSpace()
    let isTrimming = starts(with: "-%}")
    guard isTrimming || starts(with: "%}") else {
      (at, position) = saved
      return false
    }
    advance(isTrimming ? 3 : 2)
    if isTrimming { skipSpace() }
    let start = at
    let startPosition = position
    while at < source.count {
      let end = at
      if starts(with: "{%") {
        advance(2)
        let trimsBody = peek == "-"
        if peek == "-" || peek == "+" { advance(1) }
        skipSpace()
        if starts(with: "endraw") {
          advance(6)
          skipSpace()
          let trimsAfter = starts(with: "-%}")
          if trimsAfter || starts(with: "+%}") || starts(with: "%}") {
            advance(starts(with: "%}") ? 2 : 3)
            if trimsAfter { skipSpace() }
            let body = source[start..<end]
            append(text: trimsBody ? body.trimmingEnd : body, at: startPosition)
            return true
          }
        }
      } else {
        advance(1)
      }
    }
    throw error("Missing end of raw directive", at: opening)
  }

  // MARK: Inside of tags

  private mutating func expression(
    _ begin: JinjaToken.Kind, until close: StaticString, from opening: JinjaPosition
  ) throws(JinjaError) {
    let isBlock = begin == .blockBegin
    add(begin, at: opening)
    var open: [String] = []
    while true {
      skipSpace()
      guard let next = peek else { throw error("unexpected end of template", at: position) }
      let start = position
      if open.isEmpty {
        let isTrimming = next == "-" && starts(with: close, offset: 1)
        let isSigned = isTrimming || (isBlock && next == "+" && starts(with: close, offset: 1))
        if isSigned || starts(with: close) {
          advance(isSigned ? 3 : 2)
          if isTrimming { skipSpace() }
          add(isBlock ? .blockEnd : .variableEnd, at: start)
          return
        }
      }
      if next == "_" || next.properties.isXIDStart {
        add(.name(word { $0 == "_" || $0.properties.isXIDContinue }), at: start)
      } else if next.isDigit {
        let afterDot = result.last?.kind == .mark(".")
        add(try number(afterDot: afterDot), at: start)
      } else if next == "'" || next == "\"" {
        add(.string(try string(quote: next)), at: start)
      } else {
        try mark(next, &open)
      }
    }
  }

  private mutating func mark(_ next: Unicode.Scalar, _ open: inout [String])
    throws(JinjaError)
  {
    let start = position
    let double: [StaticString] = ["//", "**", "==", "!=", ">=", "<="]
    if let mark = double.first(where: { starts(with: $0) }) {
      advance(2)
      return add(.mark("\(mark)"), at: start)
    }
    switch next {
    case "(": open.append(")")
    case "[": open.append("]")
    case "{": open.append("}")
    case ")", "]", "}":
      guard let expected = open.popLast() else { throw error("unexpected '\(next)'", at: start) }
      guard expected == String(next) else {
        throw error("unexpected '\(next)', expected '\(expected)'", at: start)
      }
    case "+", "-", "/", "*", "%", "~", ">", "<", "=", ".", ":", "|", ",": break
    default: throw error("unexpected char '\(next)'", at: start)
    }
    advance(1)
    add(.mark(String(next)), at: start)
  }

  // MARK: Reading

  private var peek: Unicode.Scalar? { at < source.count ? source[at] : nil }

  private func starts(with text: StaticString, offset: Int = 0) -> Bool {
    guard at + offset + text.utf8CodeUnitCount <= source.count else { return false }
    return text.withUTF8Buffer { bytes in
      bytes.indices.allSatisfy { source[at + offset + $0].value == UInt32(bytes[$0]) }
    }
  }

  private mutating func advance(_ count: Int) {
    for scalar in source[at..<(at + count)] {
      if scalar == "\n" {
        position.line += 1
        position.column = 1
      } else {
        position.column += 1
      }
    }
    at += count
  }

  private mutating func skipSpace() { while peek?.isPythonSpace == true { advance(1) } }

  private mutating func word(_ belongs: (Unicode.Scalar) -> Bool) -> String {
    let start = at
    while let next = peek, belongs(next) { advance(1) }
    return String(source[start..<at])
  }

  private mutating func add(_ kind: JinjaToken.Kind, at position: JinjaPosition) {
    result.append(JinjaToken(kind: kind, position: position))
  }

  private func error(_ message: String, at position: JinjaPosition) -> JinjaError {
    JinjaError(
      template: template, line: position.line, column: position.column, message: message)
  }
}

// MARK: Numbers and strings

extension JinjaLexer {
  /// A decimal integer or a float; digits may be grouped by underscores.
  ///
  /// After a dot it is the index of `x.0`, never a float.
  private mutating func number(afterDot: Bool) throws(JinjaError) -> JinjaToken.Kind {
    let start = position
    var digits = word { $0.isDigit || $0 == "_" }
    var isFloat = false
    if !afterDot {
      if peek == ".", at + 1 < source.count, source[at + 1].isDigit {
        advance(1)
        digits += "." + word { $0.isDigit || $0 == "_" }
        isFloat = true
      }
      let sign = at + 1 < source.count && (source[at + 1] == "+" || source[at + 1] == "-") ? 1 : 0
      if peek == "e" || peek == "E", at + 1 + sign < source.count, source[at + 1 + sign].isDigit {
        let exponent = String(source[at...(at + sign)])
        advance(1 + sign)
        digits += exponent + word { $0.isDigit || $0 == "_" }
        isFloat = true
      }
    }
    digits.unicodeScalars.removeAll { $0 == "_" }
    if isFloat, let value = Double(digits) { return .float(value) }
    if !isFloat, let value = Int(digits) { return .int(value) }
    throw error("the number \(digits) is out of range", at: start)
  }

  private mutating func string(quote: Unicode.Scalar) throws(JinjaError) -> String {
    let start = position
    var text = String.UnicodeScalarView()
    advance(1)
    while let next = peek {
      advance(1)
      if next == quote { return String(text) }
      if next != "\\" {
        text.append(next)
        continue
      }
      guard let escaped = peek else { break }
      advance(1)
      switch escaped {
      case "\n": break
      case "\\", "'", "\"": text.append(escaped)
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "r": text.append("\r")
      case "a": text.append("\u{07}")
      case "b": text.append("\u{08}")
      case "f": text.append("\u{0C}")
      case "v": text.append("\u{0B}")
      case "x": text.append(try scalar(digits: 2, from: start))
      case "u": text.append(try scalar(digits: 4, from: start))
      case "U": text.append(try scalar(digits: 8, from: start))
      case "0"..."7": text.append(octal(escaped))
      default: text.append(contentsOf: ["\\", escaped])
      }
    }
    throw error("unexpected char '\(quote)': the string has no end", at: start)
  }

  private mutating func scalar(digits: Int, from start: JinjaPosition)
    throws(JinjaError) -> Unicode.Scalar
  {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = hexDigit else {
        throw error("truncated escape in the string", at: start)
      }
      value = value << 4 | digit
      advance(1)
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw error("an escape in the string is not a character", at: start)
    }
    return scalar
  }

  private var hexDigit: UInt32? {
    guard let next = peek, next.isASCII else { return nil }
    return Character(next).hexDigitValue.map(UInt32.init)
  }

  private mutating func octal(_ first: Unicode.Scalar) -> Unicode.Scalar {
    var value = first.value - 48
    for _ in 0..<2 {
      guard let next = peek, ("0"..."7").contains(next) else { break }
      value = value << 3 | (next.value - 48)
      advance(1)
    }
    return Unicode.Scalar(value) ?? "\u{FFFD}"
  }
}

extension String {
  init(_ scalars: ArraySlice<Unicode.Scalar>) {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    self.init(view)
  }
}

extension Unicode.Scalar {
  var isDigit: Bool { ("0"..."9").contains(self) }

  /// Whether Python's `str.strip` and `\s` take it for white space.
  var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}

extension ArraySlice<Unicode.Scalar> {
  fileprivate var trimmingEnd: Self {
    self[..<((lastIndex { !$0.isPythonSpace }).map { $0 + 1 } ?? startIndex)]
  }
}
