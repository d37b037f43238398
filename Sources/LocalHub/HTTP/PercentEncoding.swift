// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Percent-encoding of texts in URLs.
enum PercentEncoding {
  /// The text that `encoded` stands for; nil if an escape is malformed or the bytes are no UTF-8.
  static func decoded(_ encoded: some StringProtocol, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var rest = encoded.utf8.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(Hexadecimal.value),
          let low = rest.next().flatMap(Hexadecimal.value)
        else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  /// `text` with everything escaped but letters, digits, `-`, `_`, `.` and the bytes of `keeping`.
  static func encoded(_ text: String, keeping: String = "") -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        bytes.append(byte)
      default:
        if keeping.utf8.contains(byte) {
          bytes.append(byte)
        } else {
          bytes.append(UInt8(ascii: "%"))
          bytes.append(Hexadecimal.digits[Int(byte >> 4)])
          bytes.append(Hexadecimal.digits[Int(byte & 15)])
        }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Bytes as pairs of hexadecimal digits.
enum Hexadecimal {
  static let digits = Array("0123456789ABCDEF".utf8)

  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 65...70: digit - 55
    case 97...102: digit - 87
    default: nil
    }
  }

  /// The bytes of an even number of digits; what is no digit counts as zero.
  static func bytes(_ text: String) -> [UInt8] {
    let values = text.utf8.map { value($0) ?? 0 }
    return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }
}
