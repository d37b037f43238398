// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite struct YAMLTextTests {
  @Test(arguments: [
    ("merge", "merge"), ("a b", "a b"), ("a:b", "a:b"), ("a#b", "a#b"), ("1e3", "1e3"),
    ("-x", "-x"), ("ünï 中", "ünï 中"), ("no", "'no'"), ("1.0", "1.0".quoted), ("012", "'012'"),
    ("", "''"), ("null", "'null'"), ("=", "'='"), ("<<", "'<<'"), ("a: b", "'a: b'"),
    ("a:", "'a:'"), ("a #b", "'a #b'"), ("- x", "'- x'"), ("it's: x", "'it''s: x'"),
    (" x", "' x'"), ("x ", "'x '"), ("[x", "'[x'"), ("@x", "'@x'"), ("---", "'---'"),
    ("2001-01-01", "'2001-01-01'"), ("a\nb", #""a\nb""#), ("\u{85}\u{1}", #""\x85\x01""#),
    ("\u{FEFF}", #""\uFEFF""#), ("\"\\\t", #""\"\\\t""#),
  ])
  func `strings are quoted where they must be`(text: String, spelling: String) throws {
    #expect(YAMLText.scalar(text) == spelling)
    #expect(try YAML.parseOne("k: " + YAMLText.scalar(text))["k"]?.string == text)
  }

  @Test func `a tree is laid out in blocks`() throws {
    let json: JSON = [
      "license": "apache-2.0",
      "tags": ["merge", "no", [1, [2]], ["a": 1, "b": ["c": [["d": 1]]]]],
      "rate": .number("1e-05"), "big": .number("1E5"), "none": .null,
      "empty": [], "on": [:],
    ]
    #expect(
      json.yaml == """
        license: apache-2.0
        tags:
        - merge
        - 'no'
        - - 1
          - - 2
        - a: 1
          b:
            c:
            - d: 1
        rate: 1.0e-05
        big: 1.0e+5
        none: null
        empty: []
        'on': {}

        """)
    let back = try YAML.parseOne(json.yaml)
    #expect(back.json.setting("big", to: .number("1E5")) == json)
  }

  @Test func `a key longer than readers look ahead survives`() throws {
    let key = String(repeating: "k", count: 2000)
    let json: JSON = ["list": .array([.object([JSON.Member(key, [1, ["a": 2]])])])]
    #expect(try YAML.parseOne(json.yaml).json == json)
  }

  @Test func `a value alone is one line`() {
    #expect(("no" as JSON).yaml == "'no'\n")
    #expect(([] as JSON).yaml == "[]\n")
  }
}

extension String {
  fileprivate var quoted: String { "'" + self + "'" }
}
