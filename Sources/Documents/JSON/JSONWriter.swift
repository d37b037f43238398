// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension JSON {
  package enum Style: Sendable, Hashable {
    /// Everything on one line, no blanks.
    case compact
    /// One element or member a line, as Python's `json.dumps(indent=…)` lays it out.
    case pretty(indent: Int)
  }

  /// The text of this value, spelled as Python's `json.dumps(ensure_ascii=False)` does; without a
  /// line end.
  package func serialized(_ style: Style) -> String {
    String(decoding: bytes(style), as: UTF8.self)
  }

  /// The text of this value in UTF-8.
  package func bytes(_ style: Style) -> [UInt8] {
    let layout =
      switch style {
      case .compact: JSONLayout(keySeparator: ":", itemSeparator: ",")
      case .pretty(let indent):
        JSONLayout(unit: String(repeating: " ", count: max(indent, 0)))
      }
    var output: [UInt8] = []
    layout.write(self, to: &output)
    return output
  }
}

extension JSONLayout {
  func write(_ value: JSON, to output: inout [UInt8]) {
    switch value {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
    case .number(let text): output.append(contentsOf: text.utf8)
    case .string(let text): JSONEscape.append(text, to: &output)
    case .array(let elements):
      writeItems(elements, between: ("[", "]"), to: &output) { layout, element, output in
        layout.write(element, to: &output)
      }
    case .object(let members):
      writeItems(members, between: ("{", "}"), to: &output) { layout, member, output in
        layout.write(member, to: &output)
      }
    }
  }

  func write(_ member: JSON.Member, to output: inout [UInt8]) {
    JSONEscape.append(member.key, to: &output)
    output.append(contentsOf: keySeparator.utf8)
    write(member.value, to: &output)
  }

  private func writeItems<Item>(
    _ items: [Item], between brackets: (open: String, close: String), to output: inout [UInt8],
    write: (JSONLayout, Item, inout [UInt8]) -> Void
  ) {
    let inner = inside()
    output.append(contentsOf: brackets.open.utf8)
    for (index, item) in items.enumerated() {
      output.append(contentsOf: (index > 0 ? inner.separator : inner.lineStart).utf8)
      write(inner, item, &output)
    }
    if !items.isEmpty { output.append(contentsOf: lineStart.utf8) }
    output.append(contentsOf: brackets.close.utf8)
  }
}
