// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite struct YAMLErrorTests {
  @Test(arguments: [
    ("a: b: c", 1, 5, "check the indentation"),
    ("a:\n\tb: 1", 2, 1, "tab"),
    ("a: 1\n  b: 2", 2, 4, "indentation"),
    ("a: @x", 1, 4, "cannot start with '@'"),
    ("a: [1, 2", 2, 1, "close the list"),
    ("é: *x", 1, 4, "no anchor '&x'"),
    ("a: &x [*x]", 1, 8, "contain itself"),
    ("a: &x {<<: *x}", 1, 12, "contain itself"),
    ("a: &x 1\nb: &x 2", 2, 4, "defined twice"),
    ("a: !!binary aGk=", 1, 4, "!!binary"),
    ("a: !foo 1", 1, 4, "'!foo'"),
    ("a: !!seq {}", 1, 4, "!!seq"),
    ("a: !!int x", 1, 4, "not an integer"),
    ("a: 2001-02-30", 1, 4, "not a date"),
    ("a: =", 1, 4, "not a value"),
    ("a: <<", 1, 4, "not a value"),
    ("a: {<<: 5}", 1, 9, "'<<'"),
    ("a: {<<: [5]}", 1, 10, "'<<'"),
    ("[a]: 1", 1, 1, "cannot be a key"),
    ("? {a: 1}\n: 1", 1, 3, "cannot be a key"),
    ("a: \"\\q\"", 1, 5, "escape"),
  ])
  func `errors say where and what`(text: String, line: Int, column: Int, word: String) {
    let error = #expect(throws: YAMLError.self) { try YAML.parseOne(text) }
    #expect(error?.location == SourceLocation(line: line, column: column), "\(text)")
    #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: ["a: 1\nb: 2\na: 3", "a: 1\nb: 2\n'a': 3"])
  func `a key that occurs twice is refused, with both places`(text: String) {
    let error = #expect(throws: YAMLError.self) { try YAML.parseOne(text) }
    #expect(error?.location == SourceLocation(line: 3, column: 1))
    #expect(error?.related == SourceLocation(line: 1, column: 1))
  }

  @Test func `keys that Python takes for one occur twice`() {
    for text in ["{1: a, 0x1: b}", "{1: a, 1.0: b}", "{1: a, yes: b}", "{~: a, null: b}"] {
      #expect(throws: YAMLError.self) { try YAML.parseOne(text) }
    }
    #expect(throws: Never.self) { try YAML.parseOne("{1: a, '1': b, <<: {1: c}}") }
  }

  @Test func `bytes that are not UTF-8 and control characters are refused in place`() {
    let invalid = #expect(throws: YAMLError.self) {
      try YAML.parseOne(Array("a: 1\né: ".utf8) + [0xC3, 0x28])
    }
    #expect(invalid?.location == SourceLocation(line: 2, column: 4))
    let surrogate = #expect(throws: YAMLError.self) { try YAML.parseOne([0xED, 0xA0, 0x80]) }
    #expect(surrogate?.message.contains("UTF-8") == true)
    let control = #expect(throws: YAMLError.self) { try YAML.parseOne("a: \u{1}") }
    #expect(control?.message.contains("control") == true)
    #expect(throws: YAMLError.self) { try YAML.parseOne([0xFF, 0xFE, 0x61, 0x00]) }
  }

  @Test func `nesting stops at the limit`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try YAML.parseOne(nested(YAML.depthLimit)) }
    for text in [
      nested(YAML.depthLimit + 1), String(repeating: "[", count: 100_000),
      String(repeating: "- ", count: 20_000), String(repeating: "{a: ", count: 1000),
    ] {
      let error = #expect(throws: YAMLError.self) { try YAML.parseOne(text) }
      #expect(error?.message.contains("inside each other") == true)
    }
  }

  @Test func `what would take quadratic time is refused at once`() {
    let directives = (0...200).map { "%TAG !a\($0)! x\n" }.joined() + "---\na"
    let many = #expect(throws: YAMLError.self) { try YAML.parseOne(directives) }
    #expect(many?.location == SourceLocation(line: 101, column: 1))
    let digits = String(repeating: "9", count: 100_000)
    let long = #expect(throws: YAMLError.self) { try YAML.parseOne(digits) }
    #expect((long?.message.utf8.count ?? 0) < 200)
  }

  @Test func `aliases cannot blow up a small text`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) ["
      text += Array(repeating: alias, count: 9).joined(separator: ", ") + "]\n"
    }
    let error = #expect(throws: YAMLError.self) { try YAML.parseOne(text) }
    #expect(error?.message.contains("aliases") == true)
  }
}
