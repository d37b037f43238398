// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The rules of UTF-8 for characters outside ASCII.
enum UTF8Sequence {
  /// The number of bytes of the well-formed sequence at `index` (Unicode 16, table 3-7); nil if it
  /// is not one.
  static func width(in bytes: Span<UInt8>, at index: Int) -> Int? {
    let width: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch bytes[index] {
    case 0xC2...0xDF: width = 2
    case 0xE0: (width, second) = (3, 0xA0...0xBF)
    case 0xED: (width, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: width = 3
    case 0xF0: (width, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: width = 4
    case 0xF4: (width, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard index + width <= bytes.count, second.contains(bytes[index + 1]) else { return nil }
    for offset in 2..<max(width, 2) where bytes[index + offset] & 0xC0 != 0x80 { return nil }
    return width
  }

  /// Where a text stops being UTF-8; nil if it does not.
  static func firstFault(in bytes: Span<UInt8>) -> Int? {
    var index = 0
    while index < bytes.count {
      if bytes[index] < 0x80 {
        index += 1
      } else if let width = width(in: bytes, at: index) {
        index += width
      } else {
        return index
      }
    }
    return nil
  }
}
