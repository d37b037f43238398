// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A text template in the part of the Jinja language that cards and chat templates are written in.
///
/// What renders here renders byte for byte as in Jinja2 3.1 with its default environment (no automatic
/// escaping, undefined variables print as nothing, one trailing newline of the source is dropped).
/// There are `{{ }}` output, `{# #}` comments, `-` and `+` whitespace control and the tags
/// `if/elif/else`, `for/else` with a filter and `loop`, `set` (also as a block, also of a namespace's
/// attributes), `with` and `raw`; expressions are Jinja's, with the filters of `JinjaFilter`, the tests of
/// `JinjaTest`, the methods of `JinjaMethod` and the functions `range` and `namespace`.
///
/// A template is data: it calls nothing but these, opens no file, and is bounded in nesting, work and output.
/// Where it differs from Jinja2: an attribute that is not called is always looked up as a key
/// (`x.items` is the key `items`), filters that are lazy there return lists, escaped text is plain text,
/// integers have 64 bits, and keys of a mapping are strings.
package struct JinjaTemplate: Sendable {
  package let name: String
  let body: [JinjaStatement]

  /// Parses a template.
  ///
  /// - Parameter name: what errors call it, usually the file's name.
  /// - Throws: `JinjaError` for a syntax error or an unknown tag, filter or test.
  package init(_ source: String, name: String) throws(JinjaError) {
    var lexer = JinjaLexer(source, template: name)
    var parser = JinjaParser(tokens: try lexer.tokens(), template: name)
    self.name = name
    body = try parser.whole()
  }

  /// The text for the variables in `context`, the members of an object.
  ///
  /// - Throws: `JinjaError` if a value is used as what it is not, or a limit is reached.
  package func render(_ context: JSON) throws(JinjaError) -> String {
    let renderer = JinjaRenderer(template: name, context: context)
    try renderer.render(body)
    return renderer.output
  }
}

/// The bounds of what a template can cost.
enum JinjaLimit {
  /// Nesting of tags, expressions and values.
  static let depth = 100
  /// Bytes and elements of any one value, with everything inside it, and of the output.
  static let size = 1 << 24
  /// Bytes and elements produced or looked at in one rendering.
  static let work = 1 << 28
  /// What evaluating an expression or going once through a loop costs on top: a quarter of a million of them at most.
  static let step = 1024
}
