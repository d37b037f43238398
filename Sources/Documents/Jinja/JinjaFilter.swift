// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The filters a template may use: Jinja's own, and four that make values safe for Markdown.
enum JinjaFilter: String, Sendable, CaseIterable {
  // Text
  case capitalize, center, escape, filesizeformat, format, indent, lower, replace, safe, string
  case title, tojson, trim, truncate, upper, urlencode, wordcount
  // Numbers
  case abs, float, int, round
  // Sequences and mappings
  case batch, `default`, dictsort, first, items, join, last, length, list, map, max, min, reject
  case rejectattr, reverse, select, selectattr, slice, sort, sum, unique
  /// Text as Markdown shows it unchanged on one line, also inside of a table.
  case md
  /// A code span that its content cannot end; also inside of a table.
  case mdcode
  /// A code block that its content cannot end; the argument names its language.
  case mdfence
  /// A link with the value as its text; the value alone without an http address in the argument.
  case mdlink

  init?(_ name: String) {
    let aliases: [String: JinjaFilter] = ["d": .default, "count": .length, "e": .escape]
    guard let filter = JinjaFilter(rawValue: name) ?? aliases[name] else { return nil }
    self = filter
  }

  /// The names of the parameters after the value; nil for a filter that hands them on.
  var parameters: [String]? {
    switch self {
    case .center: ["width"]
    case .filesizeformat: ["binary"]
    case .format, .map, .select, .reject, .selectattr, .rejectattr: nil
    case .indent: ["width", "first", "blank"]
    case .replace: ["old", "new", "count"]
    case .tojson: ["indent"]
    case .trim: ["chars"]
    case .truncate: ["length", "killwords", "end", "leeway"]
    case .float: ["default"]
    case .int: ["default", "base"]
    case .round: ["precision", "method"]
    case .batch: ["linecount", "fill_with"]
    case .slice: ["slices", "fill_with"]
    case .default: ["default_value", "boolean"]
    case .dictsort: ["case_sensitive", "by", "reverse"]
    case .join: ["d", "attribute"]
    case .max, .min, .unique: ["case_sensitive", "attribute"]
    case .sort: ["reverse", "case_sensitive", "attribute"]
    case .sum: ["attribute", "start"]
    case .mdfence: ["language"]
    case .mdlink: ["url"]
    default: []
    }
  }
}

/// The arguments of one call by the names of the parameters.
struct JinjaBinding {
  let renderer: JinjaRenderer
  let values: [String: JinjaValue]

  /// The argument; nil if it was not given.
  subscript(name: String) -> JinjaValue? { values[name] }

  /// The argument; nil if it was not given or is none.
  func given(_ name: String) -> JinjaValue? { values[name].flatMap { $0.isNone ? nil : $0 } }

  func flag(_ name: String) -> Bool { values[name]?.isTrue ?? false }
  func text(_ name: String) -> String? { given(name)?.text }

  func int(_ name: String, _ otherwise: Int) throws(JinjaError) -> Int {
    guard let value = given(name) else { return otherwise }
    guard let number = value.integer else {
      throw renderer.error("'\(name)' must be an integer, not \(value.typeName)")
    }
    return number
  }
}

extension JinjaRenderer {
  func bind(
    _ parameters: [String], _ positional: [JinjaValue], _ named: [String: JinjaValue],
    for name: String
  ) throws(JinjaError) -> JinjaBinding {
    guard positional.count <= parameters.count else {
      throw error("\(name) takes at most \(parameters.count) arguments")
    }
    var values = Dictionary(uniqueKeysWithValues: zip(parameters, positional))
    for (key, value) in named {
      guard parameters.contains(key) else {
        throw error("\(name) has no argument named '\(key)'")
      }
      guard values.updateValue(value, forKey: key) == nil else {
        throw error("\(name) got several values for '\(key)'")
      }
    }
    return JinjaBinding(renderer: self, values: values)
  }

  func apply(
    _ filter: JinjaFilter, to value: JinjaValue, _ positional: [JinjaValue],
    _ named: [String: JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    guard let parameters = filter.parameters else {
      switch filter {
      case .format:
        guard named.isEmpty else { throw error("format takes no named arguments") }
        return .string(try format(value.text, positional))
      case .map: return try mapped(value, positional, named)
      default: return try selected(value, filter, positional)
      }
    }
    let arguments = try bind(parameters, positional, named, for: filter.rawValue)
    try spend(value.extent.size)
    switch filter {
    case .abs, .float, .int, .round: return try applyNumeric(filter, to: value, arguments)
    case .batch, .default, .dictsort, .first, .items, .join, .last, .length, .list, .max, .min,
      .reverse, .slice, .sort, .sum, .unique:
      return try applySequential(filter, to: value, arguments)
    default: return .string(try applyTextual(filter, to: value, arguments))
    }
  }

  private func applyNumeric(
    _ filter: JinjaFilter, to value: JinjaValue, _ arguments: JinjaBinding
  ) throws(JinjaError) -> JinjaValue {
    switch filter {
    case .float:
      if let number = value.real ?? value.string.flatMap({ $0.pythonFloat }) {
        return .float(number)
      }
      return arguments["default"] ?? .float(0)
    case .int:
      if let number = value.integer { return .int(number) }
      let base = try arguments.int("base", 10)
      guard (2...36).contains(base) else { throw error("int: the base must be 2 to 36") }
      if let number = value.string.flatMap({ $0.pythonInteger(radix: base) }) {
        return .int(number)
      }
      let real = value.real ?? value.string.flatMap { $0.pythonFloat }
      if let number = real.flatMap({ Int(exactly: $0.rounded(.towardZero)) }) {
        return .int(number)
      }
      return arguments["default"] ?? .int(0)
    case .abs:
      if let number = value.integer {
        return number < 0 ? try negated(value) : .int(number)
      }
      if case .float(let number) = value { return .float(number.magnitude) }
    default:
      let precision = try arguments.int("precision", 0)
      guard (-300...300).contains(precision) else { throw error("round: precision out of range") }
      let method = arguments.text("method") ?? "common"
      guard ["common", "ceil", "floor"].contains(method) else {
        throw error("method must be common, ceil or floor")
      }
      if method == "common" {
        if let number = value.integer, precision >= 0 { return .int(number) }
        if case .float(let number) = value { return .float(number.rounded(to: precision)) }
      } else if let number = value.real {
        let scale = 1.scaled(byTenTo: precision)
        let rounded = (number * scale).rounded(method == "ceil" ? .up : .down)
        if precision == 0, let whole = Int(exactly: rounded) { return .float(Double(whole)) }
        return .float(rounded / scale)
      }
    }
    throw error("\(filter.rawValue) needs a number, not \(try defined(value).typeName)")
  }
}
