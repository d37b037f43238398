// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The values of expressions.
extension JinjaRenderer {
  /// - Parameter input: what the filters of a `set` block start from.
  func evaluate(_ expression: JinjaExpression, input: JinjaValue = .none)
    throws(JinjaError) -> JinjaValue
  {
    try spend(JinjaLimit.step)
    switch expression.kind {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .float(value)
    case .string(let text): return .string(text)
    case .name(let name): return variable(name)
    case .list(let elements): return try bounded(.list(JinjaList(try evaluate(elements))))
    case .tuple(let elements): return try bounded(.tuple(JinjaList(try evaluate(elements))))
    case .map(let members): return try map(members, at: expression.position)
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .not(let value): return .bool(!(try evaluate(value).isTrue))
    case .conditional(let value, let condition, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(value) }
      guard let otherwise else {
        return .undefined("the inline if-expression evaluated to false and has no else section")
      }
      return try evaluate(otherwise)
    case .concatenation(let parts):
      var text = ""
      for part in parts {
        let piece = try evaluate(part).text
        try reserve(text.utf8.count + piece.utf8.count)
        text += piece
      }
      return try bounded(.string(text))
    default: return try evaluateOperation(expression, input: input)
    }
  }

  private func evaluateOperation(_ expression: JinjaExpression, input: JinjaValue)
    throws(JinjaError) -> JinjaValue
  {
    switch expression.kind {
    case .attribute(let base, let name):
      let value = try evaluate(base)
      position = expression.position
      return try attribute(name, of: value)
    case .index(let base, let index):
      let value = try evaluate(base)
      let index = try evaluate(index)
      position = expression.position
      return try element(index, of: value)
    case .slice(let base, let from, let to, let by):
      let value = try evaluate(base)
      let bounds = try (sliceBound(from), sliceBound(to), sliceBound(by))
      position = expression.position
      return try slice(of: value, from: bounds.0, to: bounds.1, by: bounds.2 ?? 1)
    case .function(let function, let arguments):
      let (positional, named) = try values(of: arguments)
      position = expression.position
      return try call(function, positional, named)
    case .method(let base, let method, let arguments):
      let value = try evaluate(base)
      let (positional, named) = try values(of: arguments)
      position = expression.position
      return try bounded(try call(method, of: value, positional, named))
    case .filter(let base, let filter, let arguments):
      let value = try base.map { base throws(JinjaError) in try evaluate(base, input: input) }
      let (positional, named) = try values(of: arguments)
      position = expression.position
      return try bounded(try apply(filter, to: value ?? input, positional, named))
    case .test(let base, let test, let arguments):
      let value = try evaluate(base)
      let (positional, _) = try values(of: arguments)
      position = expression.position
      return .bool(try holds(test, value, positional))
    case .negative(let inner), .positive(let inner):
      let value = try evaluate(inner)
      position = expression.position
      if case .negative = expression.kind { return try negated(value) }
      return try operate(.add, .int(0), value)
    case .operation(let operation, let left, let right):
      let (left, right) = (try evaluate(left), try evaluate(right))
      position = expression.position
      return try bounded(try operate(operation, left, right))
    case .comparison(let first, let rest):
      var left = try evaluate(first)
      for (comparison, next) in rest {
        let right = try evaluate(next)
        position = expression.position
        guard try compare(left, comparison, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    default: return .none
    }
  }

  private func evaluate(_ expressions: [JinjaExpression]) throws(JinjaError) -> [JinjaValue] {
    var values: [JinjaValue] = []
    for expression in expressions { values.append(try storable(try evaluate(expression))) }
    return values
  }

  private func map(
    _ members: [(key: JinjaExpression, value: JinjaExpression)], at start: JinjaPosition
  ) throws(JinjaError) -> JinjaValue {
    var pairs: [(key: String, value: JinjaValue)] = []
    for (key, value) in members {
      guard case .string(let key) = try evaluate(key) else {
        position = start
        throw error("the keys of a mapping must be strings")
      }
      pairs.append((key, try storable(try evaluate(value))))
    }
    return try bounded(.map(JinjaMap(pairs)))
  }

  private func values(of arguments: JinjaArguments)
    throws(JinjaError) -> ([JinjaValue], [String: JinjaValue])
  {
    var named: [String: JinjaValue] = [:]
    let positional = try evaluate(arguments.positional)
    for (name, value) in arguments.named { named[name] = try storable(try evaluate(value)) }
    return (positional, named)
  }

  private func sliceBound(_ expression: JinjaExpression?) throws(JinjaError) -> Int? {
    guard let expression else { return nil }
    let value = try evaluate(expression)
    if value.isNone { return nil }
    guard let bound = value.integer else {
      position = expression.position
      throw error("slice indices must be integers or None")
    }
    return bound
  }

  // MARK: Parts of values

  /// The value of a key, of a namespace's attribute or of a fact about a loop.
  func attribute(_ name: String, of value: JinjaValue) throws(JinjaError) -> JinjaValue {
    let found: JinjaValue?
    switch value {
    case .undefined(let why): throw error(why)
    case .map(let map): found = map[name]
    case .namespace(let namespace): found = namespace.attributes[name]
    case .loop(let loop): found = loop[name]
    default: found = nil
    }
    let owner: String =
      switch value {
      case .none: "None"
      case .map: "'dict object'"
      default: "'\(value.typeName) object'"
      }
    return found ?? .undefined("\(owner) has no attribute '\(name)'")
  }

  func element(_ index: JinjaValue, of value: JinjaValue) throws(JinjaError) -> JinjaValue {
    if case .string(let name) = index { return try attribute(name, of: value) }
    let missing = JinjaValue.undefined(
      "'\(value.typeName) object' has no element \(index.spelled)")
    guard let index = index.integer else {
      if case .undefined(let why) = value { throw error(why) }
      return missing
    }
    switch value {
    case .undefined(let why): throw error(why)
    case .list(let list), .tuple(let list):
      return list.elements.element(at: index) ?? missing
    case .string(let text):
      try spend(text.utf8.count)
      return Array(text.unicodeScalars).element(at: index).map { .string(String($0)) } ?? missing
    default: return missing
    }
  }

  private func slice(of value: JinjaValue, from: Int?, to: Int?, by step: Int)
    throws(JinjaError) -> JinjaValue
  {
    guard step != 0 else { throw error("slice step cannot be zero") }
    switch value {
    case .undefined: return value
    case .list(let list):
      return try self.list(list.elements.slice(from: from, to: to, by: step))
    case .tuple(let list):
      let elements = list.elements.slice(from: from, to: to, by: step)
      return try bounded(.tuple(JinjaList(elements)))
    case .string(let text):
      let scalars = Array(text.unicodeScalars).slice(from: from, to: to, by: step)
      return try bounded(.string(String(scalars[...])))
    default:
      return .undefined("'\(value.typeName) object' cannot be sliced")
    }
  }

  /// What a `for` goes through.
  func elements(of value: JinjaValue) throws(JinjaError) -> [JinjaValue] {
    switch value {
    case .undefined: return []
    case .list(let list), .tuple(let list): return list.elements
    case .map(let map): return map.keys.map { .string($0) }
    case .string(let text):
      try spend(text.utf8.count)
      return text.unicodeScalars.map { .string(String($0)) }
    default: throw error("'\(value.typeName)' object is not iterable")
    }
  }
}

extension Array {
  /// The element at an index that counts from the end if it is negative.
  fileprivate func element(at index: Int) -> Element? {
    let index = index < 0 ? index.addingSaturated(count) : index
    return indices.contains(index) ? self[index] : nil
  }

  /// Python's `self[from:to:step]`.
  fileprivate func slice(from: Int?, to: Int?, by step: Int) -> [Element] {
    func place(_ bound: Int, _ range: ClosedRange<Int>) -> Int {
      let index = bound < 0 ? bound.addingSaturated(count) : bound
      return Swift.min(Swift.max(index, range.lowerBound), range.upperBound)
    }
    let range = step > 0 ? 0...count : -1...(count - 1)
    let start = from.map { place($0, range) } ?? (step > 0 ? 0 : count - 1)
    let end = to.map { place($0, range) } ?? (step > 0 ? count : -1)
    return stride(from: start, to: end, by: step).map { self[$0] }
  }
}
