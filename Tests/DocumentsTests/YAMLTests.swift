// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite struct YAMLTests {
  @Test func `scalars mean what they mean to PyYAML`() {
    #expect(YAMLScalarCases.all.count > 200)
    for (text, meaning) in YAMLScalarCases.all {
      #expect(Self.meaning(of: text) == meaning, "\(text)")
    }
  }

  private static func meaning(of text: String) -> String {
    guard let scalar = try? YAML.parseOne(text).scalar else { return "error" }
    return switch scalar.value {
    case .null: "null"
    case .bool(let value): "bool \(value)"
    case .int(let value): "int \(value)"
    case .bigInteger(let digits): "int \(digits)"
    case .float(let value) where value.isNaN: "float nan"
    case .float(let value) where value.isInfinite: value < 0 ? "float -inf" : "float inf"
    case .float(let value): "float " + JSON.double(value).serialized(.compact)
    case .string(let text): "string \(text)"
    case .timestamp: "timestamp"
    }
  }

  @Test func `nodes know where they begin and end`() throws {
    let root = try YAML.parseOne("# é\nmodels:\n  - model: 'ab'\n    é: [1, x]\n")
    let item = try #require(root["models"]?.sequence?.first)
    #expect(root.location == SourceLocation(line: 2, column: 1))
    #expect(item.location == SourceLocation(line: 3, column: 5))
    #expect(item["model"]?.location == SourceLocation(line: 3, column: 12))
    #expect(item["model"]?.end == SourceLocation(line: 3, column: 16))
    #expect(item["model"]?.scalar?.isPlain == false)
    #expect(item["é"]?.sequence?.last?.location == SourceLocation(line: 4, column: 12))
    #expect(item.mapping?.map(\.name) == ["model", "é"])
  }

  @Test func `accessors give only what the type allows`() throws {
    let root = try YAML.parseOne("{a: 1, b: 1.5, c: yes, d: ~, e: '1', f: 2001-01-01}")
    #expect(root["a"]?.int == 1 && root["a"]?.double == 1 && root["a"]?.string == nil)
    #expect(root["b"]?.double == 1.5 && root["b"]?.int == nil)
    #expect(root["c"]?.bool == true && root["c"]?.string == nil)
    #expect(root["d"]?.isNull == true && root["d"]?.double == nil)
    #expect(root["e"]?.string == "1" && root["e"]?.int == nil)
    #expect(root["f"]?.string == nil && root["f"]?.scalar?.text == "2001-01-01")
    #expect(root["g"] == nil && root["a"]?["b"] == nil)
  }

  @Test func `keys are looked up by their bytes`() throws {
    let root = try YAML.parseOne("\u{e9}: 1\ne\u{301}: 2")
    #expect(root["\u{e9}"]?.int == 1)
    #expect(root["e\u{301}"]?.int == 2)
  }

  @Test func `merge keys fill in what a mapping does not say`() throws {
    let text = """
      base: &base {<<: {p: 1}, q: 2}
      one:
        <<: *base
        q: 3
        r: 4
      two: {<<: [*base, {q: 9, s: 1}], t: 0}
      quoted: {'<<': 1}
      """
    let json = try YAML.parseOne(text).json
    #expect(json["base"] == ["p": 1, "q": 2])
    #expect(json["one"] == ["p": 1, "q": 3, "r": 4])
    #expect(json["two"] == ["q": 2, "s": 1, "p": 1, "t": 0])
    #expect(json["quoted"] == ["<<": 1])
  }

  @Test func `a stream can hold many documents or none`() throws {
    #expect(try YAML.parse(Array("a\n---\nb\n".utf8)).map(\.string) == ["a", "b"])
    #expect(try YAML.parse(Array("# only this\n".utf8)).isEmpty)
    #expect(try YAML.parseOne("\u{FEFF}a: 1")["a"]?.int == 1)
    let second = #expect(throws: YAMLError.self) { try YAML.parseOne("a: 1\n---\nb: 2\n") }
    #expect(second?.location == SourceLocation(line: 3, column: 1))
    #expect(throws: YAMLError.self) { try YAML.parseOne("") }
  }

  @Test func `JSON of a document has Python's keys`() throws {
    let root = try YAML.parseOne(
      "{1: a, ~: b, no: c, 1.0e-5: d, 2001-01-01: .inf, x: 0xffffffffffffffff}")
    #expect(
      root.json.serialized(.compact)
        == #"{"1":"a","null":"b","false":"c","1e-05":"d","2001-01-01":null,"x":18446744073709551615}"#
    )
  }
}
