// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite("Mistakes in Jinja templates")
struct JinjaErrorTests {
  /// What a template fails with, parsed and rendered without variables.
  func failure(of source: String) -> JinjaError? {
    do throws(JinjaError) {
      _ = try JinjaTemplate(source, name: "card.md").render(JinjaCases.context)
      return nil
    } catch { return error }
  }

  func parseFailure(of source: String) -> JinjaError? {
    do throws(JinjaError) {
      _ = try JinjaTemplate(source, name: "card.md")
      return nil
    } catch { return error }
  }

  @Test(
    "are found when the template is parsed",
    arguments: [
      ("a\n{{ x | shout }}", 2, 8, "No filter named 'shout'."),
      ("{{ x is tall }}", 1, 9, "No test named 'tall'."),
      ("\n\n{% include 'x' %}", 3, 4, "Encountered unknown tag 'include'."),
      ("{% macro f() %}{% endmacro %}", 1, 4, "Encountered unknown tag 'macro'."),
      ("{{ list | map('shout') }}", 1, 22, "No filter named 'shout'."),
      ("{{ list | select('tall') }}", 1, 24, "No test named 'tall'."),
      ("{{ open('/etc/passwd') }}", 1, 4, "'open' is not a function"),
      ("{{ x.__class__() }}", 1, 6, "'__class__' is not a method"),
      ("{{ x()() }}", 1, 4, "'x' is not a function"),
      ("{{ (1 }}", 1, 7, "unexpected '}', expected ')'"),
      ("{{ 1) }}", 1, 5, "unexpected ')'"),
      ("{{ 'abc }}", 1, 4, "unexpected char ''': the string has no end"),
      ("a {# b", 1, 3, "Missing end of comment tag"),
      ("{% raw %}", 1, 1, "Missing end of raw directive"),
      ("{{ a b }}", 1, 6, "expected '}}', got 'b'"),
      ("{% if %}{% endif %}", 1, 7, "unexpected '%}'"),
      ("{% set true = 1 %}", 1, 8, "can't assign to 'true'"),
      ("{{ 99999999999999999999 }}", 1, 4, "the number 99999999999999999999 is out of range"),
      ("{{ 1 ? 2 }}", 1, 6, "unexpected char '?'"),
      ("{{", 1, 3, "unexpected end of template"),
      ("{% endif %}", 1, 4, "Encountered unknown tag 'endif'."),
    ] as [(String, Int, Int, String)])
  func parsing(source: String, line: Int, column: Int, message: String) {
    #expect(
      parseFailure(of: source)?.description == "card.md:\(line):\(column): error: \(message)")
  }

  @Test("name what ends a tag that does not end")
  func unfinishedTag() {
    let error = parseFailure(of: "{% for x in y %}\n{{ x }}\n")
    #expect(error?.message.contains("Expected 'endfor' or 'else'") == true)
  }

  @Test(
    "are found when a value is not what it is used as",
    arguments: [
      ("a\n{{ missing.x }}", 2, "'missing' is undefined"),
      ("{{ d.nope.more }}", 1, "'dict object' has no attribute 'nope'"),
      ("{{ 1 + 'a' }}", 1, "unsupported operand type(s) for +: 'int' and 'str'"),
      ("{{ 1 // 0 }}", 1, "division by zero"),
      ("{{ 1 < 'a' }}", 1, "'<' not supported between instances of 'int' and 'str'"),
      ("{{ 'a' >= 1 }}", 1, "'>=' not supported between instances of 'str' and 'int'"),
      ("{% for x in 5 %}{% endfor %}", 1, "'int' object is not iterable"),
      ("{% for a, b in [[1]] %}{% endfor %}", 1, "not enough values to unpack (expected 2)"),
      ("{{ nil | length }}", 1, "object of type 'NoneType' has no len()"),
      ("{{ 9223372036854775807 + 1 }}", 1, "the integer is out of range"),
      ("{{ 3 ** 99 }}", 1, "the integer is out of range"),
      ("{% set n.x = 1 %}", 1, "cannot assign attribute on non-namespace object"),
      ("{{ 'a' | upper(1) }}", 1, "upper takes at most 0 arguments"),
      ("{{ text | indent(wide=1) }}", 1, "indent has no argument named 'wide'"),
      ("{{ 5 | items }}", 1, "Can only get item pairs from a mapping."),
      ("{{ missing | tojson }}", 1, "'missing' is undefined"),
      ("{{ 'a'.split('') }}", 1, "empty separator"),
    ] as [(String, Int, String)])
  func rendering(source: String, line: Int, message: String) {
    let error = failure(of: source)
    #expect(error?.message == message)
    #expect(error?.line == line)
  }

  @Test(
    "that would never end or fill the memory are stopped",
    arguments: [
      String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000),
      "1" + String(repeating: " + 1", count: 5000),
      "x" + String(repeating: "[0]", count: 5000),
      "-" + String(repeating: "-", count: 5000) + "1",
      String(repeating: "not ", count: 5000) + "1",
      String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000),
      "'x' * 1000000000000", "[1] * 1000000000", "'x' | center(10000000000)",
      "range(1000000000)|list", "range(0, -9223372036854775807, -1)", "'a'|indent(99999999999)",
      "('%999999999d' | format(1))", "('a' * 100000)|replace('a', 'b' * 1000)",
      "[1]|batch(99999999999, 0)", "[1]|slice(99999999999)", "1.5|round(999999999)",
      "'x' * 9000000 ~ 'y' * 9000000",
    ])
  func limits(expression: String) {
    #expect(failure(of: "{{ \(expression) }}") != nil)
  }

  @Test(
    "that loop without end or nest without end are stopped",
    arguments: [
      "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}"
        + "{% endfor %}{% endfor %}{% endfor %}",
      "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}",
      "{% set ns = namespace(x=1) %}{% for i in range(9999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}",
      "{% set ns = namespace() %}{% set ns.me = [ns] %}",
      String(repeating: "{% if true %}", count: 5000)
        + String(repeating: "{% endif %}", count: 5000),
      String(repeating: "{% set x = [x, x] %}", count: 150),
      "{% for i in range(99999) %}{{ 'x' * 100000 }}{% endfor %}",
    ])
  func bombs(source: String) {
    #expect(failure(of: source) != nil)
  }

  @Test("read like a compiler's")
  func description() {
    #expect(
      failure(of: "\n{{ nil.x.y }}")?.description
        == "card.md:2:9: error: None has no attribute 'x'")
  }
}
