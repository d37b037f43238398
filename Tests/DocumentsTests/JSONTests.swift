// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite struct JSONTests {
  @Test(arguments: [
    "null", " true ", "-0", "0.5", "1e9", "1E+09", "-12.50e-3", "\"\"", "[]", "{}", "[ ]", "{ }",
    "[1,[2,{\"a\":[]}]]", "\t[1 ,\r\n2]\n", #""\"\\\/\b\f\n\r\t\u00E9\ud83d\ude00""#,
    "\"\u{7f}é中😀\u{10FFFF}\"", #"{"":{"":0}}"#,
  ])
  func `what RFC 8259 allows is kept byte for byte`(text: String) throws {
    let document = try JSONDocument(parsing: text)
    #expect(document.bytes == Array(text.utf8))
    #expect(try document.applying([]).bytes == Array(text.utf8))
    #expect(try JSON.parse(text) == document.root.json)
  }

  @Test(arguments: [
    ("", 0), (" ", 1), ("[", 1), ("]", 0), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("{", 1),
    ("{1:2}", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{\"a\" 1}", 5), ("[}", 1),
    ("[1}", 2), ("01", 0), ("-", 0), ("+1", 0), (".5", 0), ("1.", 0), ("1e", 0), ("1e+", 0),
    ("[-]", 1), ("nul", 3), ("nulL", 3), ("True", 0), ("NaN", 0), ("-Infinity", 0), ("'a'", 0),
    ("\"", 1), ("\"a", 2), ("\"\\\"", 3), ("\"\\x\"", 1), ("\"\\u12g4\"", 1), ("\"\\u12", 1),
    ("\"a\nb\"", 2), ("\"01234567\u{1}\"", 9), ("1 1", 2), ("{} {}", 3), ("[1]\u{FEFF}", 3),
    ("//", 0), ("1.0f", 3), ("0x10", 1),
  ])
  func `what it does not allow is refused where it stands`(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self, "\(text)") { try JSON.parse(text) }
    #expect(error?.offset == offset, "\(text): \(error?.description ?? "")")
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
      [0xE4, 0xB8], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
      [0xFF],
    ] as [[UInt8]])
  func `bytes that are not UTF-8 are refused`(bytes: [UInt8]) {
    for padding in [0, 3, 7, 8] {
      let prefix = Array("\"".utf8) + [UInt8](repeating: 0x61, count: padding)
      let error = #expect(throws: JSONError.self) {
        try JSON.parse(prefix + bytes + Array("\"".utf8))
      }
      #expect(error?.kind == .invalidUTF8)
      #expect(error?.offset == 1 + padding)
    }
  }

  @Test func `errors know line and column, in characters`() {
    let text = "{\n  \"é\": 1,\n  \"中😀\": x}"
    let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
    #expect(error?.line == 3)
    #expect(error?.column == 9)
    #expect(error?.description == "line 3, column 9: 'x' where a value is expected")
  }

  @Test func `a byte order mark is allowed at the start and kept`() throws {
    let document = try JSONDocument(parsing: [0xEF, 0xBB, 0xBF] + Array("{}".utf8))
    #expect(document.root.kind == .object)
    #expect(try document.setting(["a"], to: 1).bytes.starts(with: [0xEF, 0xBB, 0xBF]))
  }

  @Test func `nesting stops at 256 levels`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try JSON.parse(nested(256)).array?.count == 1)
    #expect(throws: JSONError.self) { try JSON.parse(nested(257)) }
    let error = #expect(throws: JSONError.self) {
      try JSON.parse(String(repeating: #"{"a":["#, count: 100_000))
    }
    #expect(error?.kind == .tooDeep(limit: 256))
  }

  @Test func `escapes become characters and half a pair becomes U+FFFD`() throws {
    let json = try JSON.parse(#"["\ud83d\ude00", "\ud83d", "\ude00\ud83dx", "\ud83d\u0041"]"#)
    #expect(json == ["😀", "\u{FFFD}", "\u{FFFD}\u{FFFD}x", "\u{FFFD}A"])
  }
}

@Suite struct JSONWritingTests {
  @Test func `values are laid out as Python does`() {
    let json: JSON = [
      "a": [], "b": [1, true, [:]], "c": ["d": "é\u{2028}\u{7f}\n\u{1}\u{1f}\"\\/"], "e": 0.1,
    ]
    #expect(
      json.serialized(.compact)
        == "{\"a\":[],\"b\":[1,true,{}],\"c\":{\"d\":\"é\u{2028}\u{7f}\\n\\u0001\\u001f\\\"\\\\/\"},\"e\":0.1}"
    )
    #expect(
      (["a": [], "b": [1, ["c": .null]]] as JSON).serialized(.pretty(indent: 2)) == """
        {
          "a": [],
          "b": [
            1,
            {
              "c": null
            }
          ]
        }
        """)
    #expect(([1, 2] as JSON).serialized(.pretty(indent: 0)) == "[\n1,\n2\n]")
  }

  @Test(arguments: [
    (0.1, "0.1"), (1, "1.0"), (-0.0, "-0.0"), (100, "100.0"), (0.0001, "0.0001"),
    (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (1e15, "1000000000000000.0"),
    (9_999_999_999_999_998, "9999999999999998.0"), (1e16, "1e+16"),
    (12_345_678_901_234_567_168, "1.2345678901234567e+19"), (1e100, "1e+100"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (.leastNonzeroMagnitude, "5e-324"), (2.0 / 3.0, "0.6666666666666666"),
    (-123.456, "-123.456"),
  ])
  func `floats are spelled as Python's repr does`(value: Double, spelling: String) {
    #expect(JSON.double(value) == .number(spelling))
  }

  @Test func `what JSON cannot spell becomes null`() {
    #expect(JSON.double(.nan) == .null)
    #expect(JSON.double(-.infinity) == .null)
  }

  @Test func `strings are equal when their bytes are`() {
    #expect(JSON.string("\u{e9}") != .string("e\u{301}"))
    #expect(JSON.object([.init("\u{e9}", 1)]) != .object([.init("e\u{301}", 1)]))
    #expect(JSON.object([.init("\u{e9}", ["x"])]) == .object([.init("\u{e9}", ["x"])]))
  }

  @Test func `members are set in place, added at the end and removed`() {
    let json: JSON = .object([.init("a", 1), .init("b", 2), .init("a", 3)])
    #expect(json.setting("a", to: 4) == ["a": 4, "b": 2])
    #expect(json.setting("c", to: 4).members?.map(\.key) == ["a", "b", "a", "c"])
    #expect(json.removing("a") == ["b": 2])
    #expect(JSON.null.setting("a", to: 1) == ["a": 1])
  }
}
