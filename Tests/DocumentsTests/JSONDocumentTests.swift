// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite struct JSONDocumentTests {
  @Test func `a cursor reads what is there and nothing else`() throws {
    let root = try JSONDocument(
      parsing: #"{"s": "x\u00e9", "n": -12, "f": 1.5, "b": false, "z": null, "l": [1, [2], 3]}"#
    ).root
    #expect(root.count == 6 && root.kind == .object)
    #expect(root["s"]?.string == "xé" && root["s"]?.int == nil)
    #expect(root["n"]?.int == -12 && root["n"]?.double == -12 && root["n"]?.string == nil)
    #expect(root["f"]?.double == 1.5 && root["f"]?.int == nil && root["f"]?.number == "1.5")
    #expect(root["b"]?.bool == false && root["n"]?.bool == nil)
    #expect(root["z"]?.isNull == true && root["missing"] == nil)
    #expect(root["l"]?.elements.map(\.count) == [0, 1, 0])
    #expect(root["l"]?[2]?.int == 3)
    #expect(root["l"]?[3] == nil && root["l"]?[-1] == nil && root["l"]?["x"] == nil)
    #expect(root["n"]?.members.first { _ in true } == nil)
    #expect(root.members.map(\.key.string) == ["s", "n", "f", "b", "z", "l"])
  }

  @Test func `integers end where 64 bits do`() throws {
    let root = try JSONDocument(
      parsing: """
        [9223372036854775807, -9223372036854775808, 9223372036854775808, -9223372036854775809,
         1e3, 1.0, 100000000000000000000000]
        """
    ).root
    #expect(root.elements.map(\.int) == [.max, .min, nil, nil, nil, nil, nil])
  }

  @Test func `keys are bytes, not characters`() throws {
    let document = try JSONDocument(parsing: "{\"\u{e9}\": 1, \"e\u{301}\": 2, \"\\u00e9x\": 3}")
    #expect(document.root["\u{e9}"]?.int == 1)
    #expect(document.root["e\u{301}"]?.int == 2)
    #expect(document.root["\u{e9}x"]?.int == 3)
    #expect(document.root.repeatedKey == nil)
    #expect(Set(document.root.members.map(\.key)).count == 3)
  }

  @Test func `repeated keys are kept, found, and read as the last`() throws {
    let text = #"{"a": 1, "b": 2, "\u0061": 3}"#
    let document = try JSONDocument(parsing: text)
    #expect(document.root.repeatedKey == "a")
    #expect(document.root["a"]?.int == 3)
    #expect(document.root.count == 3)
    #expect(try edited(text, [.set(["a"], to: 4)]) == #"{"a": 1, "b": 2, "\u0061": 4}"#)
    #expect(try edited(text, [.remove(["a"])]) == #"{"b": 2}"#)
  }

  @Test func `a header of many tensors is walked without strings`() throws {
    let entries = (0..<2000).map {
      #""layer.\#($0).weight":{"dtype":"BF16","shape":[\#($0),2],"data_offsets":[0,1]}"#
    }
    let root = try JSONDocument(parsing: "{" + entries.joined(separator: ",") + "}").root
    let rows = root.members.compactMap { $0.value["shape"]?[0]?.int }
    #expect(rows == Array(0..<2000))
    #expect(root.repeatedKey == nil)
  }
}

@Suite struct JSONEditingTests {
  static let config = """
    {
      "a": 1.50,
      "b": {},
      "c": [1, 2],
      "d": {"x": 1e-05, "y":2},
      "e": [
        "\\u00e9"
      ]
    }

    """

  @Test func `a value is replaced and everything else stays`() throws {
    #expect(
      try edited(Self.config, [.set(["d", "x"], to: 7)])
        == Self.config.replacing("1e-05", with: "7"))
    #expect(
      try edited(Self.config, [.set(["c", 1], to: ["k": .null])])
        == Self.config.replacing("[1, 2]", with: #"[1, {"k": null}]"#))
    #expect(
      try edited(Self.config, [.set(["a"], to: [1, [:]])])
        == Self.config.replacing("1.50", with: "[\n    1,\n    {}\n  ]"))
  }

  @Test func `what is missing is added at the end of its object, laid out like its neighbours`()
    throws
  {
    #expect(
      try edited(Self.config, [.set(["f"], to: "x"), .set(["g"], to: ["k": [1]])])
        == Self.config.replacing(
          "\n  ]\n}",
          with: "\n  ],\n  \"f\": \"x\",\n  \"g\": {\n    \"k\": [\n      1\n    ]\n  }\n}"))
    #expect(
      try edited(Self.config, [.set(["d", "z"], to: [3])])
        == Self.config.replacing("\"y\":2}", with: "\"y\":2, \"z\": [3]}"))
    #expect(
      try edited(Self.config, [.set(["b", "k"], to: 3)])
        == Self.config.replacing("{}", with: "{\n    \"k\": 3\n  }"))
    #expect(
      try edited(Self.config, [.set(["e", 1], to: 3)])
        == Self.config.replacing("00e9\"", with: "00e9\",\n    3"))
    #expect(try edited(#"{"a":1}"#, [.set(["b"], to: [1, 2])]) == #"{"a":1,"b":[1,2]}"#)
    #expect(try edited("{}", [.set(["b"], to: 1)]) == "{\n  \"b\": 1\n}")
    #expect(
      try edited("{\r\n\t\"a\": {}\r\n}", [.set(["a", "b"], to: 1)])
        == "{\r\n\t\"a\": {\r\n\t\t\"b\": 1\r\n\t}\r\n}")
  }

  @Test func `what is removed takes its comma with it`() throws {
    let text = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}"
    #expect(try edited(text, [.remove(["a"])]) == "{\n  \"b\": 2,\n  \"c\": 3\n}")
    #expect(try edited(text, [.remove(["b"])]) == "{\n  \"a\": 1,\n  \"c\": 3\n}")
    #expect(try edited(text, [.remove(["c"])]) == "{\n  \"a\": 1,\n  \"b\": 2\n}")
    #expect(try edited(text, [.remove(["a"]), .remove(["b"])]) == "{\n  \"c\": 3\n}")
    #expect(
      try edited(text, [.remove(["c"]), .set(["d"], to: 4), .remove(["b"])])
        == "{\n  \"a\": 1,\n  \"d\": 4\n}")
    let all: [JSONEdit] = [.remove(["a"]), .remove(["b"]), .remove(["c"])]
    #expect(try edited(text, all) == "{}")
    #expect(try edited(text, all + [.set(["d"], to: 4)]) == "{\n  \"d\": 4\n}")
    #expect(try edited("[1, 2, 3]", [.remove([0]), .remove([2])]) == "[2]")
  }

  @Test func `the whole document can be replaced but not removed`() throws {
    #expect(try edited(" [1] \n", [.set([], to: ["a": 1])]) == " {\"a\": 1} \n")
    #expect(throws: JSONEditError.removesDocument) { try edited("1", [.remove([])]) }
  }

  @Test func `paths that lead nowhere are refused`() {
    for (path, found) in [
      (["q", "x"], ["q"]), (["a", "x"], ["a", "x"]), (["c", 3], ["c", 3]), (["c", -1], ["c", -1]),
      ([0], [0]), (["c", "k"], ["c", "k"]), (["c", 9, "k"], ["c", 9]),
    ] as [([JSONPathComponent], [JSONPathComponent])] {
      #expect(throws: JSONEditError.notFound(found)) {
        try edited(Self.config, [.set(path, to: 1)])
      }
      #expect(throws: JSONEditError.notFound(found)) { try edited(Self.config, [.remove(path)]) }
    }
  }

  @Test func `edits that meet are refused`() {
    for edits in [
      [.set(["a"], to: 1), .set(["a"], to: 1)], [.remove(["a"]), .remove(["a"])],
      [.set(["a"], to: 1), .remove(["a"])], [.remove(["d"]), .set(["d", "x"], to: 1)],
      [.set(["d"], to: 1), .set(["d", "z"], to: 1)], [.set(["n"], to: 1), .set(["n"], to: 2)],
      [.set([], to: 1), .set(["a"], to: 1)], [.remove(["b"]), .set(["b", "k"], to: 1)],
    ] as [[JSONEdit]] {
      #expect(throws: JSONEditError.self) { try edited(Self.config, edits) }
    }
  }
}

private func edited(_ text: String, _ edits: [JSONEdit]) throws -> String {
  String(decoding: try JSONDocument(parsing: text).applying(edits).bytes, as: UTF8.self)
}
