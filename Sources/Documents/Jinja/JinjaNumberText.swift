// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Numbers from and to text as Python does it.
extension String {
  /// What `float(text)` gives.
  var pythonFloat: Double? {
    let text = trimmingSpace.replacingUnderscores
    let lower = text.lowercased()
    if lower.contains("x") || lower.hasSuffix(")") { return nil }
    return Double(text)
  }

  /// What `int(text, radix)` gives.
  func pythonInteger(radix: Int) -> Int? {
    Int(trimmingSpace.replacingUnderscores, radix: radix)
  }

  private var replacingUnderscores: String {
    guard utf8.contains(UInt8(ascii: "_")), utf8.first != UInt8(ascii: "_") else { return self }
    return String(filter { $0 != "_" })
  }

  var trimmingSpace: String { trimming { $0.isPythonSpace } }

  /// The text without the scalars at both ends that a condition takes.
  func trimming(start: Bool = true, end: Bool = true, _ takes: (Unicode.Scalar) -> Bool) -> String {
    var scalars = unicodeScalars[...]
    if start { scalars = scalars.drop(while: takes) }
    while end, let last = scalars.last, takes(last) { scalars.removeLast() }
    return String(scalars)
  }

  /// Where a part begins, counted in bytes.
  func firstOffset(of part: String) -> Int? {
    part.utf8.isEmpty ? 0 : Array(utf8).offsets(of: Array(part.utf8), atMost: 1).first
  }
}

extension [UInt8] {
  /// The offsets of a part that do not overlap, by Knuth, Morris and Pratt: linear whatever the text.
  func offsets(of part: [UInt8], atMost limit: Int) -> [Int] {
    guard !part.isEmpty, count >= part.count else { return [] }
    // For each prefix of the part, the length of its longest border.
    var borders = [Int](repeating: 0, count: part.count)
    var matched = 0
    for index in 1..<Swift.max(1, part.count) {
      while matched > 0, part[index] != part[matched] { matched = borders[matched - 1] }
      if part[index] == part[matched] { matched += 1 }
      borders[index] = matched
    }
    var offsets: [Int] = []
    matched = 0
    for (index, byte) in enumerated() {
      if offsets.count == limit { break }
      while matched > 0, byte != part[matched] { matched = borders[matched - 1] }
      if byte == part[matched] { matched += 1 }
      if matched == part.count {
        offsets.append(index + 1 - part.count)
        matched = 0
      }
    }
    return offsets
  }
}

extension Double {
  /// `self * 10**power`.
  func scaled(byTenTo power: Int) -> Double { self * pow(10, Double(power)) }

  /// Python's `round`: to the nearest decimal, ties of the exact value to even.
  func rounded(to precision: Int) -> Double {
    guard isFinite else { return self }
    if precision < 0 {
      return scaled(byTenTo: precision).rounded(.toNearestOrEven).scaled(byTenTo: -precision)
    }
    return Double(formatted("f", precision: precision)) ?? self
  }

  /// C's `%.<precision><conversion>`, with a conversion of `eEfFgG`.
  func formatted(_ conversion: Character, precision: Int) -> String {
    let format = "%.\(precision)\(conversion)"
    return withVaList([self]) { arguments in
      var buffer = [CChar](repeating: 0, count: 400 + precision)
      let count = vsnprintf(&buffer, buffer.count, format, arguments)
      return String(
        decoding: buffer.prefix(Swift.max(0, Int(count))).map { UInt8(bitPattern: $0) },
        as: UTF8.self)
    }
  }
}

// MARK: printf-style formatting

extension JinjaRenderer {
  /// Python's `format % values` with the conversions `s r d i f F e E g G x X o c %`.
  func format(_ format: String, _ values: [JinjaValue]) throws(JinjaError) -> String {
    var rest = values[...]
    var text = ""
    var scalars = format.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      guard scalar == "%" else {
        text.unicodeScalars.append(scalar)
        continue
      }
      var flags = ""
      while let flag = scalars.first, "-+ 0#".unicodeScalars.contains(flag) {
        flags.unicodeScalars.append(scalars.removeFirst())
      }
      let width = scalars.popNumber() ?? 0
      var precision: Int?
      if scalars.first == "." {
        scalars.removeFirst()
        precision = scalars.popNumber() ?? 0
      }
      guard width <= 1000, precision ?? 0 <= 1000 else { throw error("the format is too wide") }
      guard let conversion = scalars.popFirst() else { throw error("incomplete format") }
      if conversion == "%" {
        text += "%"
        continue
      }
      guard let value = rest.popFirst() else {
        throw error("not enough arguments for format string")
      }
      let field = try self.field(Character(conversion), value, flags, precision)
      let padding = Swift.max(0, width - field.unicodeScalars.count)
      if flags.contains("-") {
        text += field + String(repeating: " ", count: padding)
      } else if flags.contains("0"), !"srcaRC".contains(Character(conversion)) {
        let sign = field.prefix { "+- ".contains($0) }
        text += sign + String(repeating: "0", count: padding) + field.dropFirst(sign.count)
      } else {
        text += String(repeating: " ", count: padding) + field
      }
      try reserve(text.utf8.count)
    }
    guard rest.isEmpty else {
      throw error("not all arguments converted during string formatting")
    }
    return text
  }

  private func field(
    _ conversion: Character, _ value: JinjaValue, _ flags: String, _ precision: Int?
  ) throws(JinjaError) -> String {
    switch conversion {
    case "s", "r":
      let text = conversion == "s" ? value.text : value.spelled
      return precision.map { String(String.UnicodeScalarView(text.unicodeScalars.prefix($0))) }
        ?? text
    case "d", "i", "x", "X", "o":
      let integer = value.integer ?? value.real.flatMap { Int(exactly: $0.rounded(.towardZero)) }
      guard let integer else { break }
      let radix = conversion == "o" ? 8 : conversion == "d" || conversion == "i" ? 10 : 16
      let digits = String(integer.magnitude, radix: radix, uppercase: conversion == "X")
      return sign(integer < 0, flags) + digits
    case "e", "E", "f", "F", "g", "G":
      guard let number = value.real else { break }
      let isNegative = number.sign == .minus && !number.isNaN
      return sign(isNegative, flags)
        + number.magnitude.formatted(conversion, precision: precision ?? 6)
    default: throw error("unsupported format character '\(conversion)'")
    }
    throw error("%\(conversion) format: a number is required, not \(value.typeName)")
  }

  private func sign(_ isNegative: Bool, _ flags: String) -> String {
    isNegative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : ""
  }
}

extension Substring.UnicodeScalarView {
  /// Takes the decimal digits at the start.
  fileprivate mutating func popNumber() -> Int? {
    let digits = prefix { $0.isDigit }
    removeFirst(digits.count)
    return digits.isEmpty ? nil : Int(String(digits)) ?? .max
  }
}
