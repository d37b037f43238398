// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Sizes, rates and times as people read them.
enum Quantity {
  /// `1.53 GB`: decimal units, three digits.
  static func bytes(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["B", "kB", "MB", "GB", "TB"] {
      if value < 999.5 || unit == "TB" {
        return unit == "B" ? "\(count) B" : "\(threeDigits(value)) \(unit)"
      }
      value /= 1000
    }
    return "\(count) B"
  }

  static func rate(_ bytesPerSecond: Double) -> String {
    bytes(Int(min(max(bytesPerSecond, 0), 1e18))) + "/s"
  }

  /// `8.03 B` parameters, `103 M`.
  static func count(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["", " K", " M", " B", " T"] {
      if value < 999.5 || unit == " T" {
        return unit.isEmpty ? "\(count)" : threeDigits(value) + unit
      }
      value /= 1000
    }
    return "\(count)"
  }

  /// `0.4 s`, `12 s`, `3:07`, `1:02:45`.
  static func duration(_ seconds: Double) -> String {
    if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    let (minutes, rest) = (whole / 60 % 60, padded(whole % 60))
    return whole < 3600 ? "\(minutes):\(rest)" : "\(whole / 3600):\(padded(minutes)):\(rest)"
  }

  /// `0.996475`: six digits behind the point.
  static func fraction(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "\(value)" }
    let millionths = Int((abs(value) * 1e6).rounded())
    let digits = String(millionths % 1_000_000)
    return (value < 0 && millionths > 0 ? "-" : "") + "\(millionths / 1_000_000)."
      + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// `1.53e-05`: three digits and the power of ten.
  static func scientific(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    var exponent = 0
    var digits = abs(value)
    while digits >= 9.995 { (digits, exponent) = (digits / 10, exponent + 1) }
    while digits < 0.9995 { (digits, exponent) = (digits * 10, exponent - 1) }
    let power = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
    return (value < 0 ? "-" : "") + threeDigits(digits) + "e" + (exponent < 0 ? "-" : "+") + power
  }

  static func plural(_ count: Int, _ word: String) -> String {
    "\(count) \(word)\(count == 1 ? "" : "s")"
  }

  private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static func threeDigits(_ value: Double) -> String {
    if value >= 99.95 { return "\(Int(value.rounded()))" }
    let scale = value >= 9.995 ? 10.0 : 100.0
    let rounded = Int((value * scale).rounded())
    let fraction = rounded % Int(scale)
    let digits = scale == 10 ? "\(fraction)" : padded(fraction)
    return "\(rounded / Int(scale)).\(digits)"
  }
}
