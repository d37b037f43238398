// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The grammar of expressions, loosest binding first.
extension JinjaParser {
  /// An expression, or a tuple of them without parentheses.
  mutating func tupleOrExpression(conditional: Bool = true) throws(JinjaError) -> JinjaExpression {
    let position = current.position
    let first = try conditional ? expression() : disjunction()
    guard current.kind == .mark(",") else { return first }
    var elements = [first]
    while skip(mark: ",") {
      if [.variableEnd, .blockEnd, .mark(")")].contains(current.kind) { break }
      elements.append(try conditional ? expression() : disjunction())
    }
    return try node(.tuple(elements), position, elements)
  }

  mutating func expression() throws(JinjaError) -> JinjaExpression {
    try enter()
    defer { depth -= 1 }
    var value = try disjunction()
    while true {
      let position = current.position
      guard skip(name: "if") else { return value }
      let condition = try disjunction()
      let otherwise = skip(name: "else") ? try expression() : nil
      value = try node(
        .conditional(value, if: condition, else: otherwise), position,
        [value, condition] + (otherwise.map { [$0] } ?? []))
    }
  }

  private mutating func disjunction() throws(JinjaError) -> JinjaExpression {
    var left = try conjunction()
    while case let position = current.position, skip(name: "or") {
      let right = try conjunction()
      left = try node(.or(left, right), position, [left, right])
    }
    return left
  }

  private mutating func conjunction() throws(JinjaError) -> JinjaExpression {
    var left = try negation()
    while case let position = current.position, skip(name: "and") {
      let right = try negation()
      left = try node(.and(left, right), position, [left, right])
    }
    return left
  }

  private mutating func negation() throws(JinjaError) -> JinjaExpression {
    let position = current.position
    guard skip(name: "not") else { return try comparison() }
    try enter()
    defer { depth -= 1 }
    let value = try negation()
    return try node(.not(value), position, [value])
  }

  private mutating func comparison() throws(JinjaError) -> JinjaExpression {
    let first = try sum()
    let position = current.position
    var rest: [(JinjaComparison, JinjaExpression)] = []
    while let comparison = comparisonMark() { rest.append((comparison, try sum())) }
    guard !rest.isEmpty else { return first }
    return try node(.comparison(first, rest), position, [first] + rest.map { $0.1 })
  }

  private mutating func comparisonMark() -> JinjaComparison? {
    if current.kind == .name("not"), following.kind == .name("in") {
      at += 2
      return .notIn
    }
    let comparison: JinjaComparison?
    switch current.kind {
    case .mark(let text): comparison = JinjaComparison(rawValue: text)
    case .name("in"): comparison = .in
    default: comparison = nil
    }
    if comparison != nil { at += 1 }
    return comparison
  }

  private mutating func sum() throws(JinjaError) -> JinjaExpression {
    var left = try concatenation()
    while let (operation, position) = operationMark([.add, .subtract]) {
      let right = try concatenation()
      left = try node(.operation(operation, left, right), position, [left, right])
    }
    return left
  }

  private mutating func concatenation() throws(JinjaError) -> JinjaExpression {
    let first = try product()
    let position = current.position
    var parts = [first]
    while skip(mark: "~") { parts.append(try product()) }
    return parts.count == 1 ? first : try node(.concatenation(parts), position, parts)
  }

  private mutating func product() throws(JinjaError) -> JinjaExpression {
    var left = try power()
    while let (operation, position) = operationMark([.multiply, .divide, .floorDivide, .modulo]) {
      let right = try power()
      left = try node(.operation(operation, left, right), position, [left, right])
    }
    return left
  }

  private mutating func power() throws(JinjaError) -> JinjaExpression {
    var left = try signed()
    while let (operation, position) = operationMark([.power]) {
      let right = try signed()
      left = try node(.operation(operation, left, right), position, [left, right])
    }
    return left
  }

  private mutating func operationMark(_ operators: [JinjaOperator])
    -> (JinjaOperator, JinjaPosition)?
  {
    guard case .mark(let text) = current.kind, let operation = JinjaOperator(rawValue: text),
      operators.contains(operation)
    else { return nil }
    defer { at += 1 }
    return (operation, current.position)
  }

  /// A value with its sign, attributes, calls, filters and tests; a sign binds tighter than a filter.
  private mutating func signed(filtered: Bool = true) throws(JinjaError) -> JinjaExpression {
    try enter()
    defer { depth -= 1 }
    let position = current.position
    var value: JinjaExpression
    if skip(mark: "-") {
      let inner = try signed(filtered: false)
      value = try node(.negative(inner), position, [inner])
    } else if skip(mark: "+") {
      let inner = try signed(filtered: false)
      value = try node(.positive(inner), position, [inner])
    } else {
      value = try primary()
    }
    value = try postfix(value)
    while filtered {
      if current.kind == .mark("|") {
        value = try filters(of: value)
      } else if current.kind == .name("is") {
        value = try test(of: value)
      } else {
        break
      }
    }
    return value
  }

  private mutating func primary() throws(JinjaError) -> JinjaExpression {
    let token = current
    let position = token.position
    at += 1
    switch token.kind {
    case .name("true"), .name("True"): return try node(.bool(true), position)
    case .name("false"), .name("False"): return try node(.bool(false), position)
    case .name("none"), .name("None"): return try node(.none, position)
    case .name(let name):
      guard current.kind == .mark("(") else { return try node(.name(name), position) }
      guard let function = JinjaFunction(rawValue: name) else {
        throw fail("'\(name)' is not a function", at: at - 1)
      }
      let arguments = try arguments()
      return try node(.function(function, arguments), position, arguments.all)
    case .string(var text):
      while case .string(let more) = current.kind {
        text += more
        at += 1
      }
      return try node(.string(text), position)
    case .int(let value): return try node(.int(value), position)
    case .float(let value): return try node(.float(value), position)
    case .mark("("):
      if skip(mark: ")") { return try node(.tuple([]), position) }
      let value = try tupleOrExpression()
      try expect(.mark(")"))
      return value
    case .mark("["):
      let elements = try elements(until: "]")
      return try node(.list(elements), position, elements)
    case .mark("{"): return try map(at: position)
    default: throw fail("unexpected \(token.kind.spelling)", at: at - 1)
    }
  }

  private mutating func elements(until close: String) throws(JinjaError) -> [JinjaExpression] {
    var elements: [JinjaExpression] = []
    while !skip(mark: close) {
      if !elements.isEmpty {
        try expect(.mark(","))
        if skip(mark: close) { break }
      }
      elements.append(try expression())
    }
    return elements
  }

  private mutating func map(at position: JinjaPosition) throws(JinjaError) -> JinjaExpression {
    var members: [(key: JinjaExpression, value: JinjaExpression)] = []
    while !skip(mark: "}") {
      if !members.isEmpty {
        try expect(.mark(","))
        if skip(mark: "}") { break }
      }
      let key = try expression()
      try expect(.mark(":"))
      members.append((key, try expression()))
    }
    return try node(.map(members), position, members.flatMap { [$0.key, $0.value] })
  }

  // MARK: After a value

  private mutating func postfix(_ start: JinjaExpression) throws(JinjaError) -> JinjaExpression {
    var value = start
    while true {
      let position = current.position
      if skip(mark: ".") {
        if case .int(let index) = current.kind {
          at += 1
          let index = try node(.int(index), position)
          value = try node(.index(value, index), position, [value])
          continue
        }
        let name = try word()
        guard current.kind == .mark("(") else {
          value = try node(.attribute(value, name), position, [value])
          continue
        }
        guard let method = JinjaMethod(rawValue: name) else {
          throw fail("'\(name)' is not a method", at: at - 1)
        }
        let arguments = try arguments()
        value = try node(
          .method(value, method, arguments), position, [value] + arguments.all)
      } else if skip(mark: "[") {
        value = try subscripted(value, at: position)
        try expect(.mark("]"))
      } else if current.kind == .mark("(") {
        throw fail("only functions and methods can be called")
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: JinjaExpression, at position: JinjaPosition)
    throws(JinjaError) -> JinjaExpression
  {
    let first = current.kind == .mark(":") ? nil : try expression()
    if let first, current.kind != .mark(":") {
      return try node(.index(value, first), position, [value, first])
    }
    try expect(.mark(":"))
    let second = try sliceBound()
    let third = skip(mark: ":") ? try sliceBound() : nil
    return try node(
      .slice(value, from: first, to: second, by: third), position,
      [value] + [first, second, third].compactMap { $0 })
  }

  private mutating func sliceBound() throws(JinjaError) -> JinjaExpression? {
    current.kind == .mark(":") || current.kind == .mark("]") ? nil : try expression()
  }

  /// One or more filters, each with its `|`.
  mutating func filters(of start: JinjaExpression?) throws(JinjaError) -> JinjaExpression {
    var value = start
    repeat {
      try expect(.mark("|"))
      let position = current.position
      let name = try word()
      guard let filter = JinjaFilter(name) else {
        throw fail("No filter named '\(name)'.", at: at - 1)
      }
      let arguments = current.kind == .mark("(") ? try arguments() : JinjaArguments()
      try checkNames(filter, arguments)
      value = try node(
        .filter(value, filter, arguments), position,
        (value.map { [$0] } ?? []) + arguments.all)
    } while current.kind == .mark("|")
    guard let value else { throw unexpected(expected: "a filter") }
    return value
  }

  /// Finds a filter or test that is named by a string, as in `map("upper")`, before rendering does.
  private func checkNames(_ filter: JinjaFilter, _ arguments: JinjaArguments) throws(JinjaError) {
    let index: Int
    switch filter {
    case .map, .select, .reject: index = 0
    case .selectattr, .rejectattr: index = 1
    default: return
    }
    guard arguments.positional.indices.contains(index),
      case .string(let name) = arguments.positional[index].kind
    else { return }
    if filter == .map {
      if JinjaFilter(name) == nil { throw fail("No filter named '\(name)'.", at: at - 1) }
    } else if JinjaTest(name) == nil {
      throw fail("No test named '\(name)'.", at: at - 1)
    }
  }

  private mutating func test(of value: JinjaExpression) throws(JinjaError) -> JinjaExpression {
    try expect(.name("is"))
    let isNegated = skip(name: "not")
    let position = current.position
    let name = try word()
    guard let test = JinjaTest(name) else { throw fail("No test named '\(name)'.", at: at - 1) }
    var arguments = JinjaArguments()
    switch current.kind {
    case .mark("("): arguments = try self.arguments()
    case .name("else"), .name("or"), .name("and"), .name("if"), .name("in"), .name("not"): break
    case .name("is"): throw fail("You cannot chain multiple tests with is")
    case .name, .string, .int, .float, .mark("["), .mark("{"):
      arguments.positional = [try postfix(try primary())]
    default: break
    }
    let result = try node(.test(value, test, arguments), position, [value] + arguments.all)
    return isNegated ? try node(.not(result), position, [result]) : result
  }

  private mutating func arguments() throws(JinjaError) -> JinjaArguments {
    var arguments = JinjaArguments()
    try expect(.mark("("))
    while !skip(mark: ")") {
      if !(arguments.positional.isEmpty && arguments.named.isEmpty) {
        try expect(.mark(","))
        if skip(mark: ")") { break }
      }
      if case .name(let name) = current.kind, following.kind == .mark("=") {
        at += 2
        arguments.named.append((name, try expression()))
      } else if arguments.named.isEmpty {
        arguments.positional.append(try expression())
      } else {
        throw fail("an argument without a name follows one with a name")
      }
    }
    return arguments
  }

  private func node(
    _ kind: JinjaExpression.Kind, _ position: JinjaPosition, _ children: [JinjaExpression] = []
  ) throws(JinjaError) -> JinjaExpression {
    let depth = 1 + (children.map(\.depth).max() ?? 0)
    guard depth <= JinjaLimit.depth else { throw fail("nested too deeply") }
    return JinjaExpression(kind: kind, position: position, depth: depth)
  }
}
