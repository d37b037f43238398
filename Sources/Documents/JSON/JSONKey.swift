// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The characters of a key by their bytes.
///
/// Swift compares strings by canonical equivalence, so that "é" as one character equals "é" as two.
/// In vocabularies and tensor names these are different keys, and here they stay so.
package struct JSONKey: Hashable, Sendable {
  /// UTF-8, escapes resolved.
  package let bytes: ArraySlice<UInt8>

  package init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }
  package init(_ text: String) { bytes = Array(text.utf8)[...] }

  package var string: String { String(decoding: bytes, as: UTF8.self) }

  package static func == (one: JSONKey, other: JSONKey) -> Bool {
    one.bytes.count == other.bytes.count && one.bytes.elementsEqual(other.bytes)
  }

  package func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    hasher.combine(UInt8(0xFF))
  }
}

extension JSONKey: CustomStringConvertible, ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(text) }
  package var description: String { string }
}
