// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Arithmetic and comparison as Python does them.
extension JinjaRenderer {
  func operate(_ operation: JinjaOperator, _ left: JinjaValue, _ right: JinjaValue)
    throws(JinjaError) -> JinjaValue
  {
    let (left, right) = (try defined(left), try defined(right))
    if let a = left.integer, let b = right.integer { return try operate(operation, a, b) }
    if let a = left.real, let b = right.real { return .float(try operate(operation, a, b)) }
    switch (operation, left, right) {
    case (.add, .string(let a), .string(let b)):
      try reserve(a.utf8.count + b.utf8.count)
      return .string(a + b)
    case (.add, .list(let a), .list(let b)): return .list(JinjaList(a.elements + b.elements))
    case (.add, .tuple(let a), .tuple(let b)): return .tuple(JinjaList(a.elements + b.elements))
    case (.modulo, .string(let format), .tuple(let values)):
      return .string(try self.format(format, values.elements))
    case (.modulo, .string(let format), _):
      return .string(try self.format(format, [right]))
    case (.multiply, .string, _), (.multiply, .list, _), (.multiply, .tuple, _):
      if let count = right.integer { return try repeated(left, max(0, count)) }
    case (.multiply, _, .string), (.multiply, _, .list), (.multiply, _, .tuple):
      if let count = left.integer { return try repeated(right, max(0, count)) }
    default: break
    }
    throw error(
      "unsupported operand type(s) for \(operation.rawValue): "
        + "'\(left.typeName)' and '\(right.typeName)'")
  }

  private func operate(_ operation: JinjaOperator, _ a: Int, _ b: Int)
    throws(JinjaError) -> JinjaValue
  {
    if [.divide, .floorDivide, .modulo].contains(operation), b == 0 {
      throw error("division by zero")
    }
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide: return .float(Double(a) / Double(b))
    case .floorDivide:
      let (quotient, overflow) = a.dividedReportingOverflow(by: b)
      let isBelow = !overflow && quotient &* b != a && (a < 0) != (b < 0)
      result = (isBelow ? quotient - 1 : quotient, overflow)
    case .modulo:
      let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
      result = (remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder, false)
    case .power:
      if b < 0 {
        guard a != 0 else { throw error("0.0 cannot be raised to a negative power") }
        return .float(pow(Double(a), Double(b)))
      }
      result = a.raised(to: b)
    }
    guard !result.overflow else { throw error("the integer is out of range") }
    return .int(result.partialValue)
  }

  private func operate(_ operation: JinjaOperator, _ a: Double, _ b: Double)
    throws(JinjaError) -> Double
  {
    if [.divide, .floorDivide, .modulo].contains(operation), b == 0 {
      throw error("float division by zero")
    }
    switch operation {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide: return a / b
    case .floorDivide: return ((a - a.modulo(b)) / b).rounded()
    case .modulo: return a.modulo(b)
    case .power: return pow(a, b)
    }
  }

  private func repeated(_ value: JinjaValue, _ count: Int) throws(JinjaError) -> JinjaValue {
    try reserve(value.extent.size, times: count)
    switch value {
    case .string(let text): return .string(String(repeating: text, count: count))
    case .list(let list):
      return .list(JinjaList(Array(repeatElement(list.elements, count: count).joined())))
    case .tuple(let list):
      return .tuple(JinjaList(Array(repeatElement(list.elements, count: count).joined())))
    default: return value
    }
  }

  func negated(_ value: JinjaValue) throws(JinjaError) -> JinjaValue {
    if case .float(let number) = value { return .float(-number) }
    guard let number = try defined(value).integer else {
      throw error("bad operand type for unary -: '\(value.typeName)'")
    }
    return try operate(.subtract, .int(0), .int(number))
  }

  /// The value itself, unless it is undefined.
  func defined(_ value: JinjaValue) throws(JinjaError) -> JinjaValue {
    if case .undefined(let why) = value { throw error(why) }
    return value
  }

  func compare(_ left: JinjaValue, _ comparison: JinjaComparison, _ right: JinjaValue)
    throws(JinjaError) -> Bool
  {
    try spend(min(left.extent.size, right.extent.size))
    switch comparison {
    case .equal: return left.equals(right)
    case .notEqual: return !left.equals(right)
    case .less: return try isLess(left, right, "<")
    case .greater: return try isLess(right, left, ">")
    case .lessOrEqual: return left.equals(right) ? true : try isLess(left, right, "<=")
    case .greaterOrEqual: return left.equals(right) ? true : try isLess(right, left, ">=")
    case .in: return try contains(right, left)
    case .notIn: return !(try contains(right, left))
    }
  }

  func isLess(_ left: JinjaValue, _ right: JinjaValue, _ sign: String = "<")
    throws(JinjaError) -> Bool
  {
    guard let result = try defined(left).isLess(than: try defined(right)) else {
      let (first, second) = sign.hasPrefix(">") ? (right, left) : (left, right)
      throw error(
        "'\(sign)' not supported between instances of '\(first.typeName)' and '\(second.typeName)'")
    }
    return result
  }

  private func contains(_ container: JinjaValue, _ value: JinjaValue) throws(JinjaError) -> Bool {
    switch container {
    case .map(let map): return value.string.map { map[$0] != nil } ?? false
    case .string(let text):
      guard let part = value.string else {
        throw error(
          "'in <string>' requires string as left operand, not \(value.typeName)")
      }
      try spend(text.utf8.count)
      return text.firstOffset(of: part) != nil
    default:
      let elements = try self.elements(of: container)
      try spend(container.extent.size)
      return elements.contains { $0.equals(value) }
    }
  }
}

extension Int {
  fileprivate func raised(to exponent: Int) -> (partialValue: Int, overflow: Bool) {
    var (result, base, rest) = (1, self, exponent)
    while rest > 0 {
      if rest & 1 == 1 {
        let (product, overflow) = result.multipliedReportingOverflow(by: base)
        if overflow { return (0, true) }
        result = product
      }
      rest >>= 1
      if rest > 0 {
        let (square, overflow) = base.multipliedReportingOverflow(by: base)
        if overflow { return (0, true) }
        base = square
      }
    }
    return (result, false)
  }
}

extension Double {
  /// The remainder with the sign of the divisor.
  fileprivate func modulo(_ divisor: Double) -> Double {
    let remainder = truncatingRemainder(dividingBy: divisor)
    if remainder == 0 { return divisor < 0 ? -0.0 : 0.0 }
    return (remainder < 0) != (divisor < 0) ? remainder + divisor : remainder
  }
}
