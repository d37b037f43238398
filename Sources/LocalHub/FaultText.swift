// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A text that is no rule of faults, and why.
package struct InvalidFault: Error, Hashable {
  package let text: String
  package let reason: String
}

extension Faults {
  /// The rules that a text of one line asks for: words that say what goes wrong, and when.
  ///
  /// What: `latency=200ms`, `rate=1000000` (bytes a second), `status=503`, `limited=5` (429 for so many
  /// seconds), `truncate=1000`, `reset=1000`, `wrong-bytes`, `ignore-range`, `expired-link`, `excess=5`,
  /// `redirect=http://…`, `header=Name:Value`; several words go wrong together. When: `method=GET`,
  /// `path=/resolve/` (a part of path and query), `skip=2`, `times=3`; else with the next request.
  package static func rules(_ line: some StringProtocol) throws(InvalidFault) -> [Rule] {
    var actions: [Action] = []
    var method: String?
    var path = ""
    var (skip, times) = (0, 1)
    for word in line.split(whereSeparator: \.isWhitespace) {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count == 2 ? String(parts[1]) : nil
      switch (String(parts[0]), value) {
      case ("method", let value?): method = value.uppercased()
      case ("path", let value?): path = value
      case ("skip", let value?): skip = try number(value, in: word)
      case ("times", let value?): times = try number(value, in: word)
      case (let name, let value): actions.append(try action(name, value, in: word))
      }
    }
    guard !actions.isEmpty else {
      throw InvalidFault(text: String(line), reason: "it does not say what goes wrong")
    }
    return actions.map { Rule($0, method: method, path: path, skip: skip, times: times) }
  }

  private static func action(
    _ name: String, _ value: String?, in word: some StringProtocol
  ) throws(InvalidFault) -> Action {
    switch (name, value) {
    case ("wrong-bytes", nil): return .wrongBytes
    case ("ignore-range", nil): return .ignoreRange
    case ("expired-link", nil): return .expiredLink
    case ("latency", let value?): return .latency(try time(value, in: word))
    case ("rate", let value?): return .rate(bytesPerSecond: max(1, try number(value, in: word)))
    case ("status", let value?):
      let code = try number(value, in: word)
      guard (200...599).contains(code) else {
        throw InvalidFault(text: String(word), reason: "a status is a number from 200 to 599")
      }
      return .status(code)
    case ("limited", let value?): return .rateLimited(seconds: try number(value, in: word))
    case ("truncate", let value?): return .truncate(after: try number(value, in: word))
    case ("reset", let value?): return .reset(after: try number(value, in: word))
    case ("excess", let value?): return .wrongLength(excess: try number(value, in: word))
    case ("redirect", let value?): return .redirect(value)
    case ("header", let value?):
      guard let colon = value.firstIndex(of: ":"), colon > value.startIndex else {
        throw InvalidFault(text: String(word), reason: "a header is Name:Value")
      }
      return .header(
        name: String(value[..<colon]), value: String(value[value.index(after: colon)...]))
    default: throw InvalidFault(text: String(word), reason: "there is no such fault")
    }
  }

  private static func number(
    _ text: String, in word: some StringProtocol
  ) throws(InvalidFault) -> Int {
    guard let number = Int(text), (0...1 << 40).contains(number) else {
      throw InvalidFault(text: String(word), reason: "\"\(text)\" is not a whole number")
    }
    return number
  }

  /// A time of at most a minute: `200ms`, `2s`.
  private static func time(
    _ text: String, in word: some StringProtocol
  ) throws(InvalidFault) -> Duration {
    let isFine = text.hasSuffix("ms")
    guard isFine || text.hasSuffix("s"), let number = Int(text.dropLast(isFine ? 2 : 1)),
      (0...(isFine ? 60_000 : 60)).contains(number)
    else {
      throw InvalidFault(
        text: String(word), reason: "a time is like 200ms or 2s, a minute at the longest")
    }
    return isFine ? .milliseconds(number) : .seconds(number)
  }
}
