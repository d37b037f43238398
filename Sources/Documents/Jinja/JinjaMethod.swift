// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The methods of strings, lists, mappings and loops that a template may call; none changes its value.
enum JinjaMethod: String, Sendable, CaseIterable {
  // Strings
  case capitalize, count, endswith, find, isalnum, isalpha, isdigit, islower, isspace, isupper, join
  case lower, lstrip, removeprefix, removesuffix, replace, rsplit, rstrip, split, splitlines
  case startswith, strip, title, upper
  // Mappings
  case get, items, keys, values
  // Loops
  case cycle
}

extension JinjaRenderer {
  func call(
    _ method: JinjaMethod, of value: JinjaValue, _ positional: [JinjaValue],
    _ named: [String: JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    try spend(value.extent.size)
    switch (value, method) {
    case (.string(let text), _):
      if let result = try call(method, of: text, positional, named) { return result }
    case (.map(let map), .get):
      let arguments = try bind(["key", "default"], positional, named, for: "get")
      return arguments["key"]?.string.flatMap { map[$0] } ?? arguments["default"] ?? .none
    case (.map(let map), .items): return try list(map.items)
    case (.map(let map), .keys): return try list(map.keys.map { .string($0) })
    case (.map(let map), .values): return try list(map.values)
    case (.list(let list), .count), (.tuple(let list), .count):
      guard let wanted = positional.first else { throw error("count needs an argument") }
      return .int(list.elements.count { $0.equals(wanted) })
    case (.loop(let loop), .cycle):
      guard !positional.isEmpty else { throw error("no items for cycling given") }
      return positional[loop.index % positional.count]
    case (.undefined(let why), _): throw error(why)
    default: break
    }
    throw error("'\(value.typeName) object' has no method '\(method.rawValue)'")
  }

  /// Nil if strings have no such method.
  private func call(
    _ method: JinjaMethod, of text: String, _ positional: [JinjaValue],
    _ named: [String: JinjaValue]
  ) throws(JinjaError) -> JinjaValue? {
    func arguments(_ names: String...) throws(JinjaError) -> JinjaBinding {
      try bind(names, positional, named, for: method.rawValue)
    }
    func affix(_ name: String) throws(JinjaError) -> String {
      guard let affix = try arguments(name)[name]?.string else {
        throw error("\(method.rawValue) needs a string")
      }
      return affix
    }
    switch method {
    case .strip, .lstrip, .rstrip:
      let characters = try arguments("chars").text("chars")?.unicodeScalars
      return .string(
        text.trimming(start: method != .rstrip, end: method != .lstrip) { scalar in
          characters?.contains(scalar) ?? scalar.isPythonSpace
        })
    case .startswith, .endswith:
      guard let first = positional.first, positional.count == 1 else {
        throw error("\(method.rawValue) needs one argument")
      }
      var affixes = [first]
      if case .tuple(let several) = first { affixes = several.elements }
      return .bool(
        affixes.contains { affix in
          guard let bytes = affix.string?.utf8 else { return false }
          return method == .startswith
            ? text.utf8.starts(with: bytes) : text.utf8.reversed().starts(with: bytes.reversed())
        })
    case .removeprefix:
      let prefix = try affix("prefix").utf8
      return .string(
        text.utf8.starts(with: prefix)
          ? String(decoding: text.utf8.dropFirst(prefix.count), as: UTF8.self) : text)
    case .removesuffix:
      let suffix = try affix("suffix").utf8
      return .string(
        text.utf8.reversed().starts(with: suffix.reversed())
          ? String(decoding: text.utf8.dropLast(suffix.count), as: UTF8.self) : text)
    case .split, .rsplit:
      let arguments = try arguments("sep", "maxsplit")
      let limit = try arguments.int("maxsplit", -1)
      return try split(text, by: arguments.text("sep"), limit, fromEnd: method == .rsplit)
    case .splitlines: return try list(text.pythonLines.map { .string($0) })
    case .replace:
      let arguments = try arguments("old", "new", "count")
      guard let old = arguments["old"]?.string, let new = arguments["new"]?.string else {
        throw error("replace needs two strings")
      }
      return .string(try replaced(text, old, by: new, atMost: try arguments.int("count", -1)))
    case .join:
      guard let values = positional.first else { throw error("join needs an argument") }
      for element in try elements(of: values) where element.string == nil {
        throw error("sequence item: expected str instance, \(element.typeName) found")
      }
      return try apply(.join, to: values, [.string(text)], [:])
    case .count:
      return .int(text.pieces(separatedBy: try affix("sub")).count - 1)
    case .find:
      guard let offset = text.firstOffset(of: try affix("sub")) else { return .int(-1) }
      return .int(
        String(decoding: Array(text.utf8.prefix(offset)), as: UTF8.self).unicodeScalars.count)
    case .upper: return .string(text.uppercased())
    case .lower: return .string(text.lowercased())
    case .capitalize: return .string(text.capitalizedFirst)
    case .title: return .string(text.pythonTitle)
    case .islower: return .bool(try holds(.lower, .string(text), []))
    case .isupper: return .bool(try holds(.upper, .string(text), []))
    case .isdigit:
      return .bool(
        text.consists {
          $0.properties.numericType == .decimal || $0.properties.numericType == .digit
        })
    case .isspace: return .bool(text.consists { $0.isPythonSpace })
    case .isalpha: return .bool(text.consists { $0.isPythonLetter })
    case .isalnum:
      return .bool(text.consists { $0.isPythonLetter || $0.properties.numericType != nil })
    case .get, .items, .keys, .values, .cycle: return nil
    }
  }

  private func split(_ text: String, by separator: String?, _ limit: Int, fromEnd: Bool)
    throws(JinjaError) -> JinjaValue
  {
    if let separator, separator.utf8.isEmpty { throw error("empty separator") }
    // From the end is the same from the start, with everything turned around.
    func turned(_ text: String) -> String {
      fromEnd ? String(String.UnicodeScalarView(text.unicodeScalars.reversed())) : text
    }
    var pieces =
      separator.map { turned(text).pieces(separatedBy: turned($0), atMost: limit) }
      ?? turned(text).words(atMost: limit)
    if fromEnd { pieces = pieces.reversed().map(turned) }
    return try list(pieces.map { .string($0) })
  }

  // MARK: Functions

  func call(_ function: JinjaFunction, _ positional: [JinjaValue], _ named: [String: JinjaValue])
    throws(JinjaError) -> JinjaValue
  {
    switch function {
    case .range:
      let bounds = positional.compactMap(\.integer)
      guard (1...3).contains(bounds.count), bounds.count == positional.count, named.isEmpty else {
        throw error("range takes one to three integers")
      }
      let (start, end) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
      let step = bounds.count == 3 ? bounds[2] : 1
      guard step != 0 else { throw error("range() arg 3 must not be zero") }
      let count = (Double(end) - Double(start)) / Double(step)
      guard count <= 100_000 else { throw error("range is too large") }
      return try list(stride(from: start, to: end, by: step).map { .int($0) })
    case .namespace:
      guard positional.isEmpty else { throw error("namespace takes named values") }
      let namespace = JinjaNamespace()
      namespace.attributes = named
      return .namespace(namespace)
    }
  }
}

extension String {
  fileprivate func consists(of belongs: (Unicode.Scalar) -> Bool) -> Bool {
    !isEmpty && unicodeScalars.allSatisfy(belongs)
  }

  /// The words between runs of white space; the last keeps the rest if there are more than the limit.
  fileprivate func words(atMost limit: Int) -> [String] {
    var words: [String] = []
    var rest = unicodeScalars[...].drop { $0.isPythonSpace }
    while !rest.isEmpty, limit < 0 || words.count < limit {
      let word = rest.prefix { !$0.isPythonSpace }
      words.append(String(word))
      rest = rest[word.endIndex...].drop { $0.isPythonSpace }
    }
    if !rest.isEmpty { words.append(String(rest)) }
    return words
  }

  /// Python's `title()`: words are runs of letters.
  fileprivate var pythonTitle: String {
    var result = ""
    var isInside = false
    for scalar in unicodeScalars {
      let properties = scalar.properties
      result += isInside ? properties.lowercaseMapping : properties.titlecaseMapping
      isInside = properties.isLowercase || properties.isUppercase || properties.isCased
    }
    return result
  }
}

extension Unicode.Scalar {
  fileprivate var isPythonLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}
