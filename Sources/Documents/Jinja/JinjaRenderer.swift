// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// One rendering of a template: its variables, its output and what is left of its allowance.
final class JinjaRenderer {
  private(set) var output = ""
  private let template: String
  /// Innermost last; the first holds the context.
  private var scopes: [[String: JinjaValue]]
  private var work = JinjaLimit.work
  /// Where errors are reported: the expression or tag that is being evaluated.
  var position = JinjaPosition()

  init(template: String, context: JSON) {
    self.template = template
    var variables: [String: JinjaValue] = [:]
    for member in context.members ?? [] { variables[member.key] = JinjaValue(member.value) }
    scopes = [variables, [:]]
  }

  func render(_ statements: [JinjaStatement]) throws(JinjaError) {
    for statement in statements { try render(statement) }
  }

  private func render(_ statement: JinjaStatement) throws(JinjaError) {
    position = statement.position
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expression): try write(try evaluate(expression).text)
    case .if(let branches, let otherwise):
      for branch in branches where try evaluate(branch.condition).isTrue {
        return try render(branch.body)
      }
      try render(otherwise)
    case .for(let target, let values, let condition, let body, let otherwise):
      try loop(target, values, condition, body, otherwise, at: statement.position)
    case .set(let target, let value):
      let value = try evaluate(value)
      position = statement.position
      try assign(value, to: target)
    case .capture(let target, let body, let filters):
      var text = try captured(body)
      if let filters { text = try evaluate(filters, input: text) }
      position = statement.position
      try assign(text, to: target)
    case .with(let values, let body):
      // All values are evaluated outside of the new scope.
      var evaluated: [JinjaValue] = []
      for (_, value) in values { evaluated.append(try evaluate(value)) }
      scopes.append([:])
      defer { scopes.removeLast() }
      for ((target, _), value) in zip(values, evaluated) { try assign(value, to: target) }
      try render(body)
    }
  }

  private func loop(
    _ target: JinjaTarget, _ values: JinjaExpression, _ condition: JinjaExpression?,
    _ body: [JinjaStatement], _ otherwise: [JinjaStatement], at start: JinjaPosition
  ) throws(JinjaError) {
    let value = try evaluate(values)
    position = start
    var elements = try self.elements(of: value)
    if let condition {
      var kept: [JinjaValue] = []
      for element in elements {
        scopes.append([:])
        defer { scopes.removeLast() }
        position = start
        try assign(element, to: target)
        if try evaluate(condition).isTrue { kept.append(element) }
      }
      elements = kept
    }
    if elements.isEmpty { return try render(otherwise) }
    for (index, element) in elements.enumerated() {
      position = start
      try spend(JinjaLimit.step)
      let loop = JinjaLoop(elements: elements, index: index)
      scopes.append(["loop": .loop(loop)])
      defer { scopes.removeLast() }
      try assign(element, to: target)
      try render(body)
    }
  }

  private func captured(_ body: [JinjaStatement]) throws(JinjaError) -> JinjaValue {
    let outer = output
    output = ""
    defer { output = outer }
    try render(body)
    return .string(output)
  }

  private func write(_ text: String) throws(JinjaError) {
    try spend(text.utf8.count)
    guard output.utf8.count + text.utf8.count <= JinjaLimit.size else {
      throw error("the output is longer than \(JinjaLimit.size) bytes")
    }
    output += text
  }

  // MARK: Variables

  func variable(_ name: String) -> JinjaValue {
    for scope in scopes.reversed() { if let value = scope[name] { return value } }
    return .undefined("'\(name)' is undefined")
  }

  private func assign(_ value: JinjaValue, to target: JinjaTarget) throws(JinjaError) {
    switch target {
    case .name(let name): scopes[scopes.count - 1][name] = value
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace) = variable(name) else {
        throw error("cannot assign attribute on non-namespace object")
      }
      namespace.attributes[attribute] = try storable(value)
    case .tuple(let targets):
      let elements = try self.elements(of: value)
      guard elements.count == targets.count else {
        let problem = elements.count < targets.count ? "not enough" : "too many"
        throw error("\(problem) values to unpack (expected \(targets.count))")
      }
      for (target, element) in zip(targets, elements) { try assign(element, to: target) }
    }
  }

  // MARK: Limits and errors

  /// Takes the cost of a step from the allowance.
  func spend(_ cost: Int) throws(JinjaError) {
    work = work.subtractingReportingOverflow(cost).partialValue
    guard cost <= JinjaLimit.work, work >= 0 else { throw error("the template does too much work") }
  }

  /// A new value, if it is within the limits.
  func bounded(_ value: JinjaValue) throws(JinjaError) -> JinjaValue {
    let extent = value.extent
    guard extent.size <= JinjaLimit.size, extent.depth <= JinjaLimit.depth else {
      throw error("a value grows too large")
    }
    try spend(1 + shallowSize(of: value))
    return value
  }

  private func shallowSize(of value: JinjaValue) -> Int {
    switch value {
    case .string(let text): text.utf8.count
    case .list(let list), .tuple(let list): list.elements.count
    case .map(let map): map.keys.count
    default: 0
    }
  }

  /// A value that may become part of another.
  func storable(_ value: JinjaValue) throws(JinjaError) -> JinjaValue {
    switch value {
    case .namespace, .loop: throw error("a \(value.typeName) cannot be stored in another value")
    default: return value
    }
  }

  func list(_ elements: [JinjaValue]) throws(JinjaError) -> JinjaValue {
    try bounded(.list(JinjaList(elements)))
  }

  func error(_ message: String) -> JinjaError {
    JinjaError(
      template: template, line: position.line, column: position.column, message: message)
  }

  /// Checks the length of a text that is still to be made.
  func reserve(_ count: Int, times: Int = 1) throws(JinjaError) {
    let (size, overflow) = count.multipliedReportingOverflow(by: times)
    guard !overflow, size <= JinjaLimit.size else { throw error("a value grows too large") }
  }
}
