// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension JSON {
  /// A number spelled as Python's `repr` does: the shortest digits that read back as the same
  /// value, `1.0`, `1e-05`, `1e+16`. JSON has no NaN and no infinities: they become null.
  package static func double(_ value: Double) -> JSON {
    value.isFinite ? .number(value.pythonSpelling) : .null
  }
}

extension Double {
  /// The digits of `description`, which are the shortest that identify the value, laid out by
  /// Python's rule: with an exponent below 1e-4 and from 1e16 on.
  var pythonSpelling: String {
    guard isFinite else { return isNaN ? "nan" : self < 0 ? "-inf" : "inf" }
    let sign = self.sign == .minus ? "-" : ""
    let parts = magnitude.description.split(separator: "e", maxSplits: 1)
    let halves = parts[0].split(separator: ".", maxSplits: 1)
    var digits = Array((halves[0] + (halves.count > 1 ? halves[1] : "")).utf8)
    // The value is 0.DIGITS times ten to the power of `point`.
    var point = halves[0].utf8.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.count > 1, digits.first == UInt8(ascii: "0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
    if digits == [UInt8(ascii: "0")] { return sign + "0.0" }

    func text(_ digits: some Sequence<UInt8>) -> String {
      String(decoding: Array(digits), as: UTF8.self)
    }
    switch point {
    case -3...0:
      return sign + "0." + String(repeating: "0", count: -point) + text(digits)
    case 1...16:
      let whole = text(digits.prefix(point))
      let padding = String(repeating: "0", count: max(point - digits.count, 0))
      let fraction = digits.count > point ? text(digits.dropFirst(point)) : "0"
      return sign + whole + padding + "." + fraction
    default:
      let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
      let exponent = String(abs(point - 1))
      return sign + text(digits.prefix(1)) + fraction + (point > 0 ? "e+" : "e-")
        + (exponent.utf8.count < 2 ? "0" : "") + exponent
    }
  }
}
