// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension YAMLValue {
  /// The value of a text of a type; nil if the text does not spell one, or its type has no value.
  init?(_ text: String, as tag: YAMLTag) {
    let value: YAMLValue? =
      switch tag {
      case .null: .null
      case .string: .string(text)
      case .bool: Self.bool(of: text)
      case .int: Self.integer(of: text)
      case .float: Self.float(of: text).map { .float($0) }
      case .timestamp: Self.isDate(text) ? .timestamp(text) : nil
      case .merge, .value: nil
      }
    guard let value else { return nil }
    self = value
  }

  private static func bool(of text: String) -> YAMLValue? {
    switch text.lowercased() {
    case "yes", "true", "on": .bool(true)
    case "no", "false", "off": .bool(false)
    default: nil
    }
  }

  /// A number without its underscores and, where a tag makes a quoted text a number, the blanks
  /// around it.
  private static func significant(_ text: String) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == 0x20 || 9...13 ~= byte }
    let digits = text.utf8.filter { $0 != UInt8(ascii: "_") }.drop(while: isBlank)
    return digits[..<(digits.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? digits.startIndex)]
  }

  private static func integer(of text: String) -> YAMLValue? {
    var digits = significant(text)
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    var radix: UInt32 = 10
    if digits.count > 1, digits.first == UInt8(ascii: "0") {
      switch digits[digits.startIndex + 1] {
      case UInt8(ascii: "b"): (radix, digits) = (2, digits.dropFirst(2))
      case UInt8(ascii: "x"): (radix, digits) = (16, digits.dropFirst(2))
      default: (radix, digits) = (8, digits.dropFirst(1))
      }
    }
    guard let value = DecimalInteger(digits, radix: radix) else { return nil }
    let decimal = (isNegative && value.description != "0" ? "-" : "") + value.description
    return Int(decimal).map { .int($0) } ?? .bigInteger(decimal)
  }

  private static func float(of text: String) -> Double? {
    var digits = significant(text.lowercased())
    let sign: Double = digits.first == UInt8(ascii: "-") ? -1 : 1
    if sign < 0 || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    switch String(decoding: digits, as: UTF8.self) {
    case ".inf", "inf", "infinity": return sign * .infinity
    case ".nan", "nan": return .nan
    default: break
    }
    // Base 60: seconds, then minutes, then hours.
    var value = 0.0
    var base = 1.0
    for part in digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      .reversed()
    {
      guard part.allSatisfy({ "0123456789.e+-".utf8.contains($0) }),
        let number = Double(String(decoding: part, as: UTF8.self))
      else { return nil }
      value += number * base
      base *= 60
    }
    return sign * value
  }

  /// Whether a text that looks like a date names a day and a time that exist.
  private static func isDate(_ text: String) -> Bool {
    guard YAMLTag(ofPlain: text) == .timestamp else { return false }
    let numbers = text.utf8.split { !(0x30...0x39).contains($0) }.map {
      Int(String(decoding: $0.prefix(6), as: UTF8.self)) ?? 0
    }
    let (year, month, day) = (numbers[0], numbers[1], numbers[2])
    guard year > 0, 1...12 ~= month, day > 0 else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[month - 1] else { return false }
    guard numbers.count > 3 else { return true }
    guard numbers[3] < 24, numbers[4] < 60, numbers[5] < 60 else { return false }
    // The offset from UTC follows the last sign behind the date.
    guard let sign = text.utf8.dropFirst(10).lastIndex(where: { "+-".utf8.contains($0) }) else {
      return true
    }
    let offset = text.utf8[text.utf8.index(after: sign)...].split(separator: UInt8(ascii: ":"))
    let hours = Int(String(decoding: offset[0], as: UTF8.self)) ?? 0
    let minutes = offset.count > 1 ? Int(String(decoding: offset[1], as: UTF8.self)) ?? 0 : 0
    return hours * 60 + minutes < 24 * 60
  }
}

/// A non-negative integer of any size, made from digits of any base to be written in decimal.
private struct DecimalInteger: CustomStringConvertible {
  /// The arithmetic is quadratic; nothing that is not hostile comes near this.
  static let digitLimit = 1000

  /// Base one billion, the lowest first.
  private var limbs: [UInt32] = [0]

  /// Digits of `radix`; in base 10 also minutes and seconds behind colons (`1:30` is 90).
  init?(_ digits: ArraySlice<UInt8>, radix: UInt32) {
    guard digits.count <= Self.digitLimit else { return nil }
    let parts = digits.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard let first = parts.first, !first.isEmpty, parts.count == 1 || radix == 10 else {
      return nil
    }
    for byte in first {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix else {
        return nil
      }
      multiply(by: radix, adding: UInt32(digit))
    }
    for part in parts.dropFirst() {
      guard let digits = UInt32(String(decoding: part, as: UTF8.self)), digits < 60 else {
        return nil
      }
      multiply(by: 60, adding: digits)
    }
  }

  private mutating func multiply(by factor: UInt32, adding summand: UInt32) {
    var carry = UInt64(summand)
    for index in limbs.indices {
      let product = UInt64(limbs[index]) * UInt64(factor) + carry
      limbs[index] = UInt32(product % 1_000_000_000)
      carry = product / 1_000_000_000
    }
    if carry > 0 { limbs.append(UInt32(carry)) }
  }

  var description: String {
    let highest = limbs.last.map { String($0) } ?? "0"
    return limbs.dropLast().reversed().reduce(into: highest) { text, limb in
      let digits = String(limb)
      text += String(repeating: "0", count: 9 - digits.utf8.count) + digits
    }
  }
}
