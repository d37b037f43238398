// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A JSON value that keeps the order of its keys and the spelling of its numbers.
///
/// For small documents that are built or taken apart: requests, replies, index files. A file that
/// must come back byte for byte except for what was changed in it is a `JSONDocument`. Keys are
/// compared by their bytes, never by canonical equivalence.
package indirect enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number as it is written: `1e-05` stays `1e-05`.
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  /// One key and its value.
  package struct Member: Sendable, Hashable {
    package let key: String
    package let value: JSON
    package init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }
}

extension JSON {
  package static func int(_ value: Int) -> JSON { .number(String(value)) }

  /// An object from key and value pairs; pairs whose value is nil are left out.
  package static func object(_ members: KeyValuePairs<String, JSON?>) -> JSON {
    .object(members.compactMap { key, value in value.map { Member(key, $0) } })
  }

  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
  package var members: [Member]? { if case .object(let members) = self { members } else { nil } }
  package var isNull: Bool { self == .null }

  /// The value of a number without fraction or exponent that fits.
  package var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  package var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }

  /// The value of a key; of the last one if a key occurs twice, as in Python.
  package subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }
}
