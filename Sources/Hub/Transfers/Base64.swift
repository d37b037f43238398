// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Base64 with padding (RFC 4648).
enum Base64 {
  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The number of characters that `count` bytes become.
  static func length(of count: Int) -> Int { (count + 2) / 3 * 4 }

  static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(length(of: bytes.count))
    var rest = bytes[...]
    while let first = rest.popFirst() {
      let second = rest.popFirst()
      let third = rest.popFirst()
      let bits = Int(first) << 16 | Int(second ?? 0) << 8 | Int(third ?? 0)
      text.append(digits[bits >> 18])
      text.append(digits[bits >> 12 & 63])
      text.append(second == nil ? UInt8(ascii: "=") : digits[bits >> 6 & 63])
      text.append(third == nil ? UInt8(ascii: "=") : digits[bits & 63])
    }
    return text
  }
}
