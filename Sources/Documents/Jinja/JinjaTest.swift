// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The tests a template may use after `is`.
enum JinjaTest: String, Sendable, CaseIterable {
  case boolean, defined, divisibleby, eq, even, `false`, float, ge, gt, `in`, integer, iterable, le
  case lower, lt, mapping, ne, none, number, odd, sameas, sequence, string, `true`, undefined, upper

  init?(_ name: String) {
    let aliases: [String: JinjaTest] = [
      "equalto": .eq, "==": .eq, "!=": .ne, "<": .lt, "lessthan": .lt, "<=": .le, ">": .gt,
      "greaterthan": .gt, ">=": .ge,
    ]
    guard let test = JinjaTest(rawValue: name) ?? aliases[name] else { return nil }
    self = test
  }

  fileprivate var argumentCount: Int {
    switch self {
    case .divisibleby, .eq, .ge, .gt, .in, .le, .lt, .ne, .sameas: 1
    default: 0
    }
  }

  fileprivate var comparison: JinjaComparison? {
    switch self {
    case .eq: .equal
    case .ne: .notEqual
    case .lt: .less
    case .le: .lessOrEqual
    case .gt: .greater
    case .ge: .greaterOrEqual
    case .in: .in
    default: nil
    }
  }
}

extension JinjaRenderer {
  func holds(_ test: JinjaTest, _ value: JinjaValue, _ arguments: [JinjaValue])
    throws(JinjaError) -> Bool
  {
    guard arguments.count == test.argumentCount else {
      throw error("the test '\(test.rawValue)' takes \(test.argumentCount) arguments")
    }
    if let comparison = test.comparison, let other = arguments.first {
      return try compare(value, comparison, other)
    }
    switch (test, value) {
    case (.defined, _): return !value.isUndefined
    case (.undefined, _): return value.isUndefined
    case (.none, _): return value.isNone
    case (.boolean, .bool), (.float, .float), (.integer, .int), (.mapping, .map),
      (.string, .string), (.true, .bool(true)), (.false, .bool(false)):
      return true
    case (.number, .int), (.number, .float), (.number, .bool): return true
    case (.sequence, .string), (.sequence, .list), (.sequence, .tuple), (.sequence, .map),
      (.sequence, .undefined):
      return true
    case (.iterable, .string), (.iterable, .list), (.iterable, .tuple), (.iterable, .map),
      (.iterable, .undefined), (.iterable, .loop):
      return true
    case (.lower, _): return value.text.hasCase && value.text.lowercased() == value.text
    case (.upper, _): return value.text.hasCase && value.text.uppercased() == value.text
    case (.even, _): return try remainder(of: value, by: .int(2)) == 0
    case (.odd, _): return try remainder(of: value, by: .int(2)) == 1
    case (.divisibleby, _): return try remainder(of: value, by: arguments[0]) == 0
    case (.sameas, _): return value.typeName == arguments[0].typeName && value.equals(arguments[0])
    default: return false
    }
  }

  private func remainder(of value: JinjaValue, by divisor: JinjaValue)
    throws(JinjaError) -> Double?
  {
    try operate(.modulo, value, divisor).real
  }
}

extension String {
  fileprivate var hasCase: Bool {
    unicodeScalars.contains { $0.properties.isLowercase || $0.properties.isUppercase }
  }
}
