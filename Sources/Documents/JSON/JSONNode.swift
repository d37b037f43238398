// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A value inside a `JSONDocument`: a cursor that costs nothing until it is read.
package struct JSONNode: Sendable {
  package enum Kind: UInt8, Sendable {
    case null, bool, number, string, array, object
  }

  let contents: JSONDocument.Contents
  let index: Int

  init(_ contents: JSONDocument.Contents, _ index: Int) {
    self.contents = contents
    self.index = index
  }

  private var entry: JSONTape.Entry { contents.tape.entries[index] }

  package var kind: Kind { entry.kind }
  /// Where the value is written in the document's bytes.
  package var range: Range<Int> { entry.range }
  /// The value as it is written.
  package var source: ArraySlice<UInt8> { contents.bytes[entry.range] }
  /// The number of elements of an array or members of an object; 0 for anything else.
  package var count: Int { entry.count }
  package var isNull: Bool { kind == .null }

  package var bool: Bool? { kind == .bool ? source.count == 4 : nil }
  /// The characters of a string, its escapes resolved; half a surrogate pair becomes U+FFFD.
  package var string: String? { key?.string }
  /// A string by its bytes, for comparing and looking up without making a `String`.
  package var key: JSONKey? {
    kind == .string ? decodedKey : nil
  }

  /// The spelling of a number.
  package var number: String? {
    kind == .number ? String(decoding: source, as: UTF8.self) : nil
  }
  /// The value of a number without fraction or exponent that fits.
  package var int: Int? {
    let entry = entry
    guard entry.kind == .number else { return nil }
    var bytes = contents.bytes[entry.range]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative { bytes.removeFirst() }
    var value = 0
    for byte in bytes {
      guard byte &- 0x30 < 10 else { return nil }
      let (product, overflowsTimes) = value.multipliedReportingOverflow(by: 10)
      let digit = Int(byte &- 0x30)
      let (sum, overflowsPlus) =
        isNegative
        ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      if overflowsTimes || overflowsPlus { return nil }
      value = sum
    }
    return value
  }
  package var double: Double? { number.flatMap { Double($0) } }

  /// The characters of what is known to be a string.
  var decodedKey: JSONKey {
    let entry = entry
    let inside = contents.bytes[entry.range.lowerBound + 1..<entry.range.upperBound - 1]
    return JSONKey(bytes: entry.isEscaped ? JSONEscape.decoded(inside.span)[...] : inside)
  }
}

extension JSONNode {
  /// The value with everything in it, as a tree that stands on its own.
  package var json: JSON {
    switch kind {
    case .null: .null
    case .bool: .bool(source.count == 4)
    case .number: .number(String(decoding: source, as: UTF8.self))
    case .string: .string(string ?? "")
    case .array: .array(elements.map(\.json))
    case .object: .object(members.map { JSON.Member($0.key.string, $0.value.json) })
    }
  }
}
