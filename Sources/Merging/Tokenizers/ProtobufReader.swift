// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The fields of one message in protocol buffers' wire format, one after the other.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed
    /// Where the content is.
    case bytes(Range<Int>)
  }

  struct Field {
    let number: UInt64
    let value: Value
    /// The whole field, its tag included.
    let range: Range<Int>
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// - Throws: `TokenizerFault.brokenPieces` where the bytes are no message.
  mutating func next() throws(TokenizerFault) -> Field? {
    guard position < end else { return nil }
    let start = position
    let tag = try varint()
    let value: Value
    switch tag & 7 {
    case 0: value = .varint(try varint())
    case 1: value = try skip(8)
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else { throw .brokenPieces(offset: start) }
      let content = position..<position + Int(length)
      position = content.upperBound
      value = .bytes(content)
    case 5: value = try skip(4)
    default: throw .brokenPieces(offset: start)
    }
    return Field(number: tag >> 3, value: value, range: start..<position)
  }

  private mutating func skip(_ count: Int) throws(TokenizerFault) -> Value {
    guard count <= end - position else { throw .brokenPieces(offset: position) }
    position += count
    return .fixed
  }

  private mutating func varint() throws(TokenizerFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < end else { throw .brokenPieces(offset: position) }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw .brokenPieces(offset: position)
  }
}

extension [UInt8] {
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  /// Appends a field that holds bytes: a text or a message.
  mutating func appendField(_ number: UInt64, _ content: [UInt8]) {
    appendVarint(number << 3 | 2)
    appendVarint(UInt64(content.count))
    append(contentsOf: content)
  }
}
