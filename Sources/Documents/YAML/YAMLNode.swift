// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A value of a YAML document with the place it is written at.
package final class YAMLNode: Sendable {
  package enum Content: Sendable {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    /// In order, merge keys (`<<`) already resolved; no key occurs twice.
    case mapping([YAMLMember])
  }

  package let content: Content
  package let location: SourceLocation
  /// Just behind the last character of a scalar; where the parser saw that a collection is over.
  package let end: SourceLocation
  /// The number of nodes in the tree below, aliases written out.
  let weight: Int

  init(_ content: Content, location: SourceLocation, end: SourceLocation, weight: Int = 1) {
    self.content = content
    self.location = location
    self.end = end
    self.weight = weight
  }
}

/// A key of a mapping and its value; the key is a scalar.
package struct YAMLMember: Sendable {
  package let key: YAMLNode
  package let value: YAMLNode

  /// The key as it is written, quotes taken off.
  package var name: String { key.scalar?.text ?? "" }
}

/// A scalar: its text and the value that the text or a tag gives it.
package struct YAMLScalar: Sendable, Hashable {
  /// As written, after unquoting and unfolding.
  package let text: String
  /// Whether it is written without quotes and not as a block.
  package let isPlain: Bool
  package let value: YAMLValue
}

/// What a scalar means to a YAML 1.1 reader (PyYAML's safe loader).
package enum YAMLValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  /// An integer of more than 64 bits, in decimal digits.
  case bigInteger(String)
  case float(Double)
  case string(String)
  /// A date or a date with a time, as written.
  case timestamp(String)
}

// MARK: - Reading

extension YAMLNode {
  package var scalar: YAMLScalar? {
    if case .scalar(let scalar) = content { scalar } else { nil }
  }
  package var sequence: [YAMLNode]? {
    if case .sequence(let nodes) = content { nodes } else { nil }
  }
  package var mapping: [YAMLMember]? {
    if case .mapping(let members) = content { members } else { nil }
  }

  package var isNull: Bool { scalar?.value == .null }
  package var bool: Bool? { if case .bool(let value)? = scalar?.value { value } else { nil } }
  package var int: Int? { if case .int(let value)? = scalar?.value { value } else { nil } }
  package var string: String? {
    if case .string(let text)? = scalar?.value { text } else { nil }
  }
  /// The value of a float or an integer.
  package var double: Double? {
    switch scalar?.value {
    case .float(let value): value
    case .int(let value): Double(value)
    case .bigInteger(let digits): Double(digits)
    default: nil
    }
  }

  /// The value of the key that is this string, compared by bytes.
  package subscript(key: String) -> YAMLNode? {
    mapping?.first { $0.key.string?.utf8.elementsEqual(key.utf8) ?? false }?.value
  }

  /// The same value as JSON: timestamps and keys become strings as Python's `json.dumps` would make
  /// them, NaN and infinities become null.
  package var json: JSON {
    switch content {
    case .scalar(let scalar): scalar.value.json
    case .sequence(let nodes): .array(nodes.map(\.json))
    case .mapping(let members):
      .object(members.map { JSON.Member($0.key.scalar?.value.keyText ?? "", $0.value.json) })
    }
  }
}

extension YAMLValue {
  fileprivate var json: JSON {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .bigInteger(let digits): .number(digits)
    case .float(let value): .double(value)
    case .string(let text), .timestamp(let text): .string(text)
    }
  }

  fileprivate var keyText: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .bigInteger(let text), .string(let text), .timestamp(let text): text
    case .float(let value): value.pythonSpelling
    }
  }

  /// What Python would call the same key: 1, 1.0 and true are one key, texts are compared by bytes.
  var identity: JSONKey {
    switch self {
    case .string(let text): JSONKey("s" + text)
    case .timestamp(let text): JSONKey("t" + text)
    case .bigInteger(let digits): JSONKey("n" + digits)
    case .int(let value): JSONKey("n\(value)")
    case .bool(let value): JSONKey(value ? "n1" : "n0")
    case .float(let value): JSONKey("n" + (Int(exactly: value).map { "\($0)" } ?? "\(value)"))
    case .null: JSONKey("null")
    }
  }
}
