// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The types of scalars, and which of them a plain text has.
///
/// YAML 1.1 as PyYAML's safe loader reads it: `yes` and `off` are booleans, `012` is octal, `1:30`
/// is 90, and `1e-5` is a string because its float needs a point and a signed exponent.
enum YAMLTag: Hashable {
  case null, bool, int, float, timestamp, string
  /// `<<`, which only means something as a key.
  case merge
  /// `=`, which YAML 1.1 reserves.
  case value

  /// The type of a text that is neither quoted nor tagged.
  init(ofPlain text: String) {
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE",
      "on", "On", "ON", "off", "Off", "OFF":
      self = .bool
    case "<<": self = .merge
    case "=": self = .value
    default:
      var bytes = Array(text.utf8)[...]
      guard let first = bytes.first, "+-.0123456789".utf8.contains(first) else {
        self = .string
        return
      }
      if bytes.isTimestamp {
        self = .timestamp
        return
      }
      let isSigned = bytes.skip("+") || bytes.skip("-")
      self =
        bytes.isFloat(isSigned: isSigned) ? .float : bytes.isInteger ? .int : .string
    }
  }
}

// MARK: - Patterns

extension ArraySlice<UInt8> {
  /// Everything below consumes what it matches from the front and tells whether it did.
  fileprivate mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard first == UInt8(ascii: character) else { return false }
    removeFirst()
    return true
  }

  /// Consumes as many bytes as are in `set`, from `count.lowerBound` to `count.upperBound` of them.
  fileprivate mutating func skip(_ set: StaticString, _ count: ClosedRange<Int>) -> Bool {
    let members = UnsafeBufferPointer(start: set.utf8Start, count: set.utf8CodeUnitCount)
    let matched = prefix(count.upperBound).prefix { members.contains($0) }
    guard matched.count >= count.lowerBound else { return false }
    self = self[matched.endIndex...]
    return true
  }

  private mutating func skipDigits(_ count: ClosedRange<Int>) -> Bool {
    skip("0123456789", count)
  }

  private mutating func skipDigitsAndUnderscores(_ count: ClosedRange<Int>) -> Bool {
    skip("0123456789_", count)
  }

  /// Minutes and seconds of a base 60 number: `:30:15`.
  private mutating func skipSixtieths() -> Bool {
    var count = 0
    while skip(":") {
      let small = skip("012345", 1...1)
      guard skipDigits(1...1) || small else { return false }
      count += 1
    }
    return count > 0
  }

  private mutating func isExponentOrEnd() -> Bool {
    guard skip("e") || skip("E") else { return isEmpty }
    return (skip("+") || skip("-")) && skipDigits(1...Int.max) && isEmpty
  }

  /// What follows the sign of a float.
  fileprivate func isFloat(isSigned: Bool) -> Bool {
    var rest = self
    if rest.skip(".") {
      switch String(decoding: rest, as: UTF8.self) {
      case "inf", "Inf", "INF": return true
      case "nan", "NaN", "NAN": return !isSigned
      default: break
      }
      return !isSigned && rest.first != UInt8(ascii: "_")
        && rest.skipDigitsAndUnderscores(1...Int.max) && rest.isExponentOrEnd()
    }
    guard rest.skipDigits(1...1), rest.skipDigitsAndUnderscores(0...Int.max) else { return false }
    let isBase60 = rest.first == UInt8(ascii: ":")
    if isBase60, !rest.skipSixtieths() { return false }
    guard rest.skip("."), rest.skipDigitsAndUnderscores(0...Int.max) else { return false }
    return isBase60 ? rest.isEmpty : rest.isExponentOrEnd()
  }

  /// What follows the sign of an integer.
  fileprivate var isInteger: Bool {
    var rest = self
    if rest.skip("0") {
      if rest.skip("b") { return rest.skip("01_", 1...Int.max) && rest.isEmpty }
      if rest.skip("x") { return rest.skip("0123456789abcdefABCDEF_", 1...Int.max) && rest.isEmpty }
      return rest.skip("01234567_", 0...Int.max) && rest.isEmpty
    }
    guard rest.skip("123456789", 1...1), rest.skipDigitsAndUnderscores(0...Int.max) else {
      return false
    }
    return rest.isEmpty || (rest.skipSixtieths() && rest.isEmpty)
  }

  fileprivate var isTimestamp: Bool {
    var date = self
    if date.skipDigits(4...4), date.skip("-"), date.skipDigits(2...2), date.skip("-"),
      date.skipDigits(2...2), date.isEmpty
    {
      return true
    }
    var rest = self
    guard rest.skipDigits(4...4), rest.skip("-"), rest.skipDigits(1...2), rest.skip("-"),
      rest.skipDigits(1...2), rest.skip("T") || rest.skip("t") || rest.skip(" \t", 1...Int.max),
      rest.skipDigits(1...2), rest.skip(":"), rest.skipDigits(2...2), rest.skip(":"),
      rest.skipDigits(2...2)
    else { return false }
    if rest.skip("."), !rest.skipDigits(0...Int.max) { return false }
    if rest.isEmpty { return true }
    _ = rest.skip(" \t", 0...Int.max)
    if rest.skip("Z") { return rest.isEmpty }
    guard rest.skip("+") || rest.skip("-"), rest.skipDigits(1...2) else { return false }
    return rest.isEmpty || (rest.skip(":") && rest.skipDigits(2...2) && rest.isEmpty)
  }
}
