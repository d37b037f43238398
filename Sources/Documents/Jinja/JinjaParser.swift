// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Reads the tags of a template; `JinjaExpressionParser.swift` reads what stands in them.
struct JinjaParser {
  let tokens: [JinjaToken]
  let template: String
  var at = 0
  var depth = 0

  init(tokens: [JinjaToken], template: String) {
    self.tokens = tokens
    self.template = template
  }

  /// The whole template.
  mutating func whole() throws(JinjaError) -> [JinjaStatement] {
    let (body, _) = try statements(until: [])
    return body
  }

  /// The statements up to a tag that is one of `ends`, which is consumed up to its name.
  private mutating func statements(until ends: [String])
    throws(JinjaError) -> (body: [JinjaStatement], end: String)
  {
    let opening = current.position
    try enter()
    defer { depth -= 1 }
    var body: [JinjaStatement] = []
    while true {
      let token = current
      switch token.kind {
      case .text(let text):
        at += 1
        body.append(JinjaStatement(kind: .text(text), position: token.position))
      case .variableBegin:
        at += 1
        let value = try tupleOrExpression()
        try expect(.variableEnd)
        body.append(JinjaStatement(kind: .output(value), position: token.position))
      case .blockBegin:
        at += 1
        guard case .name(let tag) = current.kind else { throw fail("tag name expected") }
        if ends.contains(tag) {
          at += 1
          return (body, tag)
        }
        body.append(try statement(tag))
      default:
        guard ends.isEmpty else {
          throw fail(
            "Unexpected end of template. Expected \(ends.map { "'\($0)'" }.joined(separator: " or "))"
              + " for the tag before line \(opening.line)")
        }
        return (body, "")
      }
    }
  }

  /// The body of a tag after its `%}`, and the name of the tag that ends it.
  private mutating func body(until ends: [String])
    throws(JinjaError) -> (body: [JinjaStatement], end: String)
  {
    try expect(.blockEnd)
    return try statements(until: ends)
  }

  private mutating func statement(_ tag: String) throws(JinjaError) -> JinjaStatement {
    let position = current.position
    let kind: JinjaStatement.Kind
    switch tag {
    case "if": kind = try conditional()
    case "for": kind = try loop()
    case "set": kind = try assignment()
    case "with": kind = try with()
    default: throw fail("Encountered unknown tag '\(tag)'.")
    }
    return JinjaStatement(kind: kind, position: position)
  }

  private mutating func conditional() throws(JinjaError) -> JinjaStatement.Kind {
    var branches: [(condition: JinjaExpression, body: [JinjaStatement])] = []
    var otherwise: [JinjaStatement] = []
    var end = "elif"
    while end == "elif" {
      if branches.isEmpty { at += 1 }
      let condition = try tupleOrExpression(conditional: false)
      let branch = try body(until: ["elif", "else", "endif"])
      branches.append((condition, branch.body))
      end = branch.end
    }
    if end == "else" { otherwise = try body(until: ["endif"]).body }
    try expect(.blockEnd)
    return .if(branches, else: otherwise)
  }

  private mutating func loop() throws(JinjaError) -> JinjaStatement.Kind {
    at += 1
    let target = try target(attributes: false)
    guard skip(name: "in") else { throw unexpected(expected: "'in'") }
    let values = try tupleOrExpression(conditional: false)
    let condition = skip(name: "if") ? try expression() : nil
    if current.kind == .name("recursive") { throw fail("recursive loops are not supported") }
    let main = try body(until: ["endfor", "else"])
    let otherwise = main.end == "else" ? try body(until: ["endfor"]).body : []
    try expect(.blockEnd)
    return .for(target, in: values, where: condition, body: main.body, else: otherwise)
  }

  private mutating func assignment() throws(JinjaError) -> JinjaStatement.Kind {
    at += 1
    let target = try target(attributes: true)
    if skip(mark: "=") {
      let value = try tupleOrExpression()
      try expect(.blockEnd)
      return .set(target, value)
    }
    let filters = current.kind == .mark("|") ? try filters(of: nil) : nil
    let captured = try body(until: ["endset"]).body
    try expect(.blockEnd)
    return .capture(target, captured, through: filters)
  }

  private mutating func with() throws(JinjaError) -> JinjaStatement.Kind {
    at += 1
    var values: [(JinjaTarget, JinjaExpression)] = []
    while current.kind != .blockEnd {
      if !values.isEmpty { try expect(.mark(",")) }
      let target = try singleTarget(attributes: false)
      try expect(.mark("="))
      values.append((target, try expression()))
    }
    let body = try body(until: ["endwith"]).body
    try expect(.blockEnd)
    return .with(values, body)
  }

  // MARK: Targets

  /// One target, or several separated by commas.
  private mutating func target(attributes: Bool) throws(JinjaError) -> JinjaTarget {
    let first = try singleTarget(attributes: attributes)
    guard current.kind == .mark(",") else { return first }
    var targets = [first]
    while skip(mark: ",") {
      if current.kind == .name("in") || current.kind == .mark("=") || current.kind == .mark(")") {
        break
      }
      targets.append(try singleTarget(attributes: attributes))
    }
    return .tuple(targets)
  }

  private mutating func singleTarget(attributes: Bool) throws(JinjaError) -> JinjaTarget {
    if skip(mark: "(") {
      try enter()
      defer { depth -= 1 }
      let inner = try target(attributes: attributes)
      try expect(.mark(")"))
      return inner
    }
    let name = try word()
    let reserved = ["true", "false", "none", "True", "False", "None"]
    if reserved.contains(name) { throw fail("can't assign to '\(name)'", at: at - 1) }
    if attributes, skip(mark: ".") { return .attribute(of: name, try word()) }
    return .name(name)
  }

  // MARK: Tokens

  var current: JinjaToken { tokens[min(at, tokens.count - 1)] }
  var following: JinjaToken { tokens[min(at + 1, tokens.count - 1)] }

  mutating func skip(mark: String) -> Bool {
    guard current.kind == .mark(mark) else { return false }
    at += 1
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard current.kind == .name(name) else { return false }
    at += 1
    return true
  }

  mutating func expect(_ kind: JinjaToken.Kind) throws(JinjaError) {
    guard current.kind == kind else { throw unexpected(expected: kind.spelling) }
    at += 1
  }

  mutating func word() throws(JinjaError) -> String {
    guard case .name(let name) = current.kind else { throw unexpected(expected: "a name") }
    at += 1
    return name
  }

  func unexpected(expected: String) -> JinjaError {
    fail("expected \(expected), got \(current.kind.spelling)")
  }

  func fail(_ message: String, at index: Int? = nil) -> JinjaError {
    let position = tokens[min(index ?? at, tokens.count - 1)].position
    return JinjaError(
      template: template, line: position.line, column: position.column, message: message)
  }

  /// Counts one more tag or expression inside of another; the caller counts it off.
  mutating func enter() throws(JinjaError) {
    guard depth < JinjaLimit.depth else { throw fail("nested too deeply") }
    depth += 1
  }
}
