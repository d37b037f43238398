// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// An expression of a template.
struct JinjaExpression: Sendable {
  indirect enum Kind: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case name(String)
    case list([JinjaExpression])
    case tuple([JinjaExpression])
    case map([(key: JinjaExpression, value: JinjaExpression)])
    case attribute(JinjaExpression, String)
    case index(JinjaExpression, JinjaExpression)
    case slice(JinjaExpression, from: JinjaExpression?, to: JinjaExpression?, by: JinjaExpression?)
    case function(JinjaFunction, JinjaArguments)
    case method(JinjaExpression, JinjaMethod, JinjaArguments)
    /// The value is nil in `{% set x | upper %}…{% endset %}`: the text of the block.
    case filter(JinjaExpression?, JinjaFilter, JinjaArguments)
    case test(JinjaExpression, JinjaTest, JinjaArguments)
    case not(JinjaExpression)
    case negative(JinjaExpression)
    case positive(JinjaExpression)
    case and(JinjaExpression, JinjaExpression)
    case or(JinjaExpression, JinjaExpression)
    case operation(JinjaOperator, JinjaExpression, JinjaExpression)
    case comparison(JinjaExpression, [(JinjaComparison, JinjaExpression)])
    case concatenation([JinjaExpression])
    case conditional(JinjaExpression, if: JinjaExpression, else: JinjaExpression?)
  }

  let kind: Kind
  let position: JinjaPosition
  /// The longest chain of expressions inside of each other, this one included.
  let depth: Int
}

/// The arguments of a call, as written.
struct JinjaArguments: Sendable {
  var positional: [JinjaExpression] = []
  var named: [(name: String, value: JinjaExpression)] = []
  var all: [JinjaExpression] { positional + named.map(\.value) }
}

enum JinjaOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
}

enum JinjaComparison: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case `in`
  case notIn = "not in"
}

/// A function that can be called by name.
enum JinjaFunction: String, Sendable, CaseIterable {
  case range, namespace
}

/// A piece of a template: text, an output tag, or a tag with what it encloses.
struct JinjaStatement: Sendable {
  indirect enum Kind: Sendable {
    case text(String)
    case output(JinjaExpression)
    case `if`([(condition: JinjaExpression, body: [JinjaStatement])], else: [JinjaStatement])
    case `for`(
      JinjaTarget, in: JinjaExpression, where: JinjaExpression?, body: [JinjaStatement],
      else: [JinjaStatement])
    case set(JinjaTarget, JinjaExpression)
    /// The text of a block, through the filters if there are some.
    case capture(JinjaTarget, [JinjaStatement], through: JinjaExpression?)
    case with([(JinjaTarget, JinjaExpression)], [JinjaStatement])
  }

  let kind: Kind
  let position: JinjaPosition
}

/// What a value is assigned to.
indirect enum JinjaTarget: Sendable {
  case name(String)
  case attribute(of: String, String)
  case tuple([JinjaTarget])
}
