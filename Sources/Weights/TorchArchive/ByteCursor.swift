// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Takes numbers and runs of bytes one after the other, never past the end.
struct ByteCursor {
  private let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  var remaining: Int { bytes.count - position }

  mutating func take(_ count: Int) throws(TorchFault) -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else { throw .truncated }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func byte() throws(TorchFault) -> UInt8 {
    guard position < bytes.count else { throw .truncated }
    defer { position += 1 }
    return bytes[position]
  }

  /// A little-endian number.
  mutating func number<N: FixedWidthInteger>(_ type: N.Type) throws(TorchFault) -> N {
    let bytes = try take(MemoryLayout<N>.size)
    return bytes.reversed().reduce(N.zero) { $0 << 8 | N(truncatingIfNeeded: $1) }
  }

  /// A little-endian unsigned number that has to fit an `Int`.
  mutating func count<N: FixedWidthInteger & UnsignedInteger>(_ type: N.Type)
    throws(TorchFault) -> Int
  {
    guard let count = Int(exactly: try number(type)) else { throw .overflow }
    return count
  }

  mutating func text(_ count: Int) throws(TorchFault) -> String {
    guard let text = String(validating: try take(count), as: UTF8.self) else { throw .notUTF8 }
    return text
  }

  /// Text up to the next line feed, which is taken too.
  mutating func line(atMost limit: Int) throws(TorchFault) -> String {
    let window = bytes[position...].prefix(limit + 1)
    guard let end = window.firstIndex(of: UInt8(ascii: "\n")) else {
      throw window.count > limit ? .tooMuch(.text) : .truncated
    }
    let line = try text(end - position)
    position += 1
    return line
  }
}
