// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The filters that make text.
extension JinjaRenderer {
  func applyTextual(
    _ filter: JinjaFilter, to value: JinjaValue, _ arguments: JinjaBinding
  ) throws(JinjaError) -> String {
    let text = value.text
    switch filter {
    case .capitalize: return text.capitalizedFirst
    case .center: return try centered(text, in: try arguments.int("width", 80))
    case .escape: return text.htmlEscaped
    case .filesizeformat: return try fileSize(value, isBinary: arguments.flag("binary"))
    case .indent:
      return try indented(try defined(value).text, arguments)
    case .lower: return text.lowercased()
    case .upper: return text.uppercased()
    case .title: return text.titled
    case .replace:
      guard let old = arguments["old"], let new = arguments["new"] else {
        throw error("replace needs two arguments")
      }
      return try replaced(text, old.text, by: new.text, atMost: try arguments.int("count", -1))
    case .tojson: return try json(value, indent: arguments.given("indent"))
    case .trim:
      guard let chars = arguments.text("chars") else { return text.trimmingSpace }
      return text.trimming { chars.unicodeScalars.contains($0) }
    case .truncate: return try truncated(text, arguments)
    case .urlencode: return text.percentEncoded
    case .wordcount: return String(text.wordCount)
    case .md: return text.markdownEscaped
    case .mdcode: return text.markdownCode
    case .mdlink: return text.markdownLink(to: arguments.text("url") ?? "")
    case .mdfence: return text.markdownFence(language: arguments.text("language") ?? "")
    default: return text
    }
  }

  func replaced(_ text: String, _ old: String, by new: String, atMost limit: Int)
    throws(JinjaError) -> String
  {
    if old.utf8.isEmpty {
      // Python puts the new text before each character and at the end.
      try reserve(text.utf8.count + 1, times: new.utf8.count + 4)
      var result = ""
      var left = limit < 0 ? Int.max : limit
      for scalar in text.unicodeScalars {
        if left > 0 { result += new }
        left -= left > 0 ? 1 : 0
        result.unicodeScalars.append(scalar)
      }
      return left > 0 ? result + new : result
    }
    let pieces = text.pieces(separatedBy: old, atMost: limit)
    try reserve(pieces.count, times: Swift.max(1, new.utf8.count))
    return pieces.joined(separator: new)
  }

  private func centered(_ text: String, in width: Int) throws(JinjaError) -> String {
    let count = text.unicodeScalars.count
    guard width > count else { return text }
    try reserve(width)
    let padding = width - count
    // CPython gives the odd blank to the left only if the width is odd too.
    let left = padding / 2 + (padding & width & 1)
    return String(repeating: " ", count: left) + text
      + String(repeating: " ", count: padding - left)
  }

  private func fileSize(_ value: JinjaValue, isBinary: Bool) throws(JinjaError) -> String {
    guard let bytes = value.real ?? value.string?.pythonFloat else {
      throw error("filesizeformat needs a number, not \(try defined(value).typeName)")
    }
    let base: Double = isBinary ? 1024 : 1000
    if bytes == 1 { return "1 Byte" }
    if bytes < base, let whole = Int(exactly: bytes.rounded(.towardZero)) {
      return "\(whole) Bytes"
    }
    let prefixes = isBinary ? "KMGTPEZY" : "kMGTPEZY"
    var unit = base
    for (index, prefix) in prefixes.enumerated() {
      unit *= base
      if bytes < unit || index == prefixes.count - 1 {
        let number = (base * bytes / unit).formatted("f", precision: 1)
        return "\(number) \(prefix)\(isBinary ? "i" : "")B"
      }
    }
    return text(of: bytes)
  }

  private func text(of number: Double) -> String { JinjaValue.float(number).text }

  private func indented(_ text: String, _ arguments: JinjaBinding) throws(JinjaError) -> String {
    let margin: String
    if let given = arguments.given("width")?.string {
      margin = given
    } else {
      let width = try arguments.int("width", 4)
      try reserve(Swift.max(0, width))
      margin = String(repeating: " ", count: Swift.max(0, width))
    }
    let lines = (text + "\n").pythonLines
    try reserve(text.utf8.count + lines.count * (margin.utf8.count + 1))
    var result = ""
    for (index, line) in lines.enumerated() {
      if index > 0 { result += "\n" }
      let isIndented =
        index == 0 ? arguments.flag("first") : arguments.flag("blank") || !line.isEmpty
      result += isIndented ? margin + line : line
    }
    return result
  }

  private func json(_ value: JinjaValue, indent: JinjaValue?) throws(JinjaError) -> String {
    var margin: String?
    if let indent {
      margin =
        indent.string ?? indent.integer.map { String(repeating: " ", count: min(max($0, 0), 64)) }
    }
    // A character can become "\uXXXX", an element a line with its indentation.
    try reserve(value.extent.size, times: margin == nil ? 1 : 1 + (margin ?? "").utf8.count)
    guard let text = try defined(value).json(indent: margin) else {
      throw error("the value has no JSON form")
    }
    return text
  }

  private func truncated(_ text: String, _ arguments: JinjaBinding) throws(JinjaError) -> String {
    let length = try arguments.int("length", 255)
    let end = arguments["end"]?.text ?? "..."
    let leeway = try arguments.int("leeway", 5)
    let scalars = Array(text.unicodeScalars)
    let endCount = end.unicodeScalars.count
    guard length >= endCount else {
      throw error("expected length >= \(endCount), got \(length)")
    }
    guard leeway >= 0 else { throw error("expected leeway >= 0, got \(leeway)") }
    if scalars.count <= length.addingSaturated(leeway) { return text }
    let kept = scalars[..<(length - endCount)]
    if arguments.flag("killwords") { return String(kept) + end }
    return String(kept.lastIndex(of: " ").map { kept[..<$0] } ?? kept) + end
  }
}

extension String {
  /// The first character in upper case, all others in lower case.
  var capitalizedFirst: String {
    guard let first = unicodeScalars.first else { return self }
    return first.properties.titlecaseMapping
      + String(String.UnicodeScalarView(unicodeScalars.dropFirst())).lowercased()
  }

  /// Jinja's `title`: words begin after white space, a hyphen or an opening bracket.
  fileprivate var titled: String {
    var result = ""
    var word = String.UnicodeScalarView()
    func flush() {
      if let first = word.first {
        result += first.properties.uppercaseMapping + String(word.dropFirst()).lowercased()
      }
      word = String.UnicodeScalarView()
    }
    for scalar in unicodeScalars {
      if scalar.isPythonSpace || "-([{<".unicodeScalars.contains(scalar) {
        flush()
        result.unicodeScalars.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    flush()
    return result
  }

  fileprivate var htmlEscaped: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "'": result += "&#39;"
      case "\"": result += "&#34;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  fileprivate var percentEncoded: String {
    var result = ""
    for byte in utf8 {
      let scalar = Unicode.Scalar(byte)
      if scalar.isASCII,
        scalar.properties.isAlphabetic || scalar.isDigit
          || "-._~/".unicodeScalars.contains(scalar)
      {
        result.unicodeScalars.append(scalar)
      } else {
        result += "%" + UInt32(byte).hex(2).uppercased()
      }
    }
    return result
  }

  fileprivate var wordCount: Int {
    var (count, isInside) = (0, false)
    for scalar in unicodeScalars {
      let category = scalar.properties.generalCategory
      let belongs =
        scalar == "_"
        || scalar.properties.isAlphabetic && category != .nonspacingMark
          && category != .spacingMark
        || scalar.properties.numericType != nil
      if belongs && !isInside { count += 1 }
      isInside = belongs
    }
    return count
  }

  /// The pieces between the occurrences of a separator, at most `limit` of them if that is not negative.
  func pieces(separatedBy separator: String, atMost limit: Int = -1) -> [String] {
    let (bytes, part) = (Array(utf8), Array(separator.utf8))
    var pieces: [String] = []
    var start = 0
    for found in bytes.offsets(of: part, atMost: limit < 0 ? .max : limit) {
      pieces.append(String(decoding: bytes[start..<found], as: UTF8.self))
      start = found + part.count
    }
    pieces.append(String(decoding: bytes[start...], as: UTF8.self))
    return pieces
  }

  /// Python's `splitlines()`.
  var pythonLines: [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var isPending = false
    var afterReturn = false
    for scalar in unicodeScalars {
      defer { afterReturn = scalar == "\r" }
      if afterReturn && scalar == "\n" { continue }
      switch scalar.value {
      case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
        lines.append(String(line))
        line = String.UnicodeScalarView()
        isPending = false
      default:
        line.append(scalar)
        isPending = true
      }
    }
    if isPending { lines.append(String(line)) }
    return lines
  }
}
