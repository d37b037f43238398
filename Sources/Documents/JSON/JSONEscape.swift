// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The escapes of JSON strings: read into characters, and written where JSON needs them.
enum JSONEscape {
  /// The UTF-16 code unit of the `\uXXXX` at `index`; nil if its four digits are not there.
  static func unit(in bytes: Span<UInt8>, at index: Int) -> UInt16? {
    guard index + 6 <= bytes.count else { return nil }
    var unit: UInt16 = 0
    for offset in 2..<6 {
      guard let digit = Character(Unicode.Scalar(bytes[index + offset])).hexDigitValue else {
        return nil
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  /// The UTF-8 that stands for the inside of a checked string: escapes resolved, half a surrogate
  /// pair replaced by U+FFFD.
  static func decoded(_ bytes: Span<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
        text.append(bytes[index])
        index += 1
        continue
      }
      let letter = bytes[index + 1]
      if letter == UInt8(ascii: "u") {
        let (scalar, length) = scalar(in: bytes, at: index)
        text.append(contentsOf: Character(scalar).utf8)
        index += length
      } else {
        text.append(character(for: letter))
        index += 2
      }
    }
    return text
  }

  private static func scalar(
    in bytes: Span<UInt8>, at index: Int
  ) -> (scalar: Unicode.Scalar, length: Int) {
    guard let first = unit(in: bytes, at: index) else { return ("\u{FFFD}", 2) }
    if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
    if UTF16.isLeadSurrogate(first), index + 7 < bytes.count,
      bytes[index + 6] == UInt8(ascii: "\\"), bytes[index + 7] == UInt8(ascii: "u"),
      let second = unit(in: bytes, at: index + 6), UTF16.isTrailSurrogate(second)
    {
      let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
      return (Unicode.Scalar(value) ?? "\u{FFFD}", 12)
    }
    return ("\u{FFFD}", 6)
  }

  private static func character(for letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  /// Appends `text` in quotes, spelled as Python's `json.dumps(ensure_ascii=False)` does: only
  /// quotes, backslashes and control characters are escaped.
  static func append(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case 0x08: output.append(contentsOf: #"\b"#.utf8)
      case 0x09: output.append(contentsOf: #"\t"#.utf8)
      case 0x0A: output.append(contentsOf: #"\n"#.utf8)
      case 0x0C: output.append(contentsOf: #"\f"#.utf8)
      case 0x0D: output.append(contentsOf: #"\r"#.utf8)
      case 0..<0x20:
        output.append(contentsOf: (byte < 0x10 ? #"\u000"# : #"\u00"#).utf8)
        output.append(contentsOf: String(byte, radix: 16).utf8)
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
