// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite("Markdown filters")
struct JinjaMarkdownTests {
  func apply(_ filter: String, to text: String) throws -> String {
    try JinjaTemplate("{{ x | \(filter) }}", name: "t").render(.object(["x": .string(text)]))
  }

  @Test(
    "md shows text as it is",
    arguments: [
      ("plain text-1.5", "plain text-1.5"),
      ("a|b", "a\\|b"),
      ("<script>&", "&lt;script&gt;&amp;"),
      ("a_b*c`d`", "a\\_b\\*c\\`d\\`"),
      ("[x](http://y)", "\\[x\\]\\(http://y\\)"),
      ("one\n\n# two", "one \\# two"),
      ("- item", "\\- item"),
      ("a\r\nb\u{2028}c", "a b c"),
    ])
  func md(text: String, expected: String) throws {
    #expect(try apply("md", to: text) == expected)
  }

  @Test(
    "mdcode cannot be ended by its content",
    arguments: [
      ("weight: 0.5", "`weight: 0.5`"), ("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("", ""),
      ("a|b`<", "<code>a&#124;b\\`&lt;</code>"), ("a\nb", "`a b`"),
    ])
  func code(text: String, expected: String) throws {
    #expect(try apply("mdcode", to: text) == expected)
  }

  @Test("mdfence grows with the fences inside of it")
  func fence() throws {
    #expect(try apply("mdfence('yaml')", to: "a: 1\n") == "```yaml\na: 1\n```")
    #expect(try apply("mdfence", to: "x\n````\ny") == "`````\nx\n````\ny\n`````")
  }

  @Test("mdlink links to http addresses alone")
  func link() throws {
    #expect(
      try apply("mdlink('https://x.org/a_(b)|c d')", to: "a|b")
        == "[a\\|b](https://x.org/a_%28b%29%7Cc%20d)")
    #expect(try apply("mdlink('javascript:alert(1)')", to: "a") == "a")
    #expect(try apply("mdlink(none)", to: "a") == "a")
  }
}
