// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// When and how often a failed request is made again.
package struct RetryPolicy: Sendable {
  /// Attempts after the first.
  package var retries = 5
  /// Attempts after the first when there is nobody to talk to: a wrong address or a missing network does not
  /// mend itself while a user waits.
  package var retriesWhenUnreachable = 1
  /// Seconds before the first retry; doubled with each further one.
  package var firstDelay = 1.0
  package var longestDelay = 8.0
  /// The longest wait that a server may ask for; beyond it the failure is reported at once.
  package var longestRequestedDelay = 900.0
  /// The delay is multiplied by something in here, so that many clients do not return at once.
  package var jitter = 0.8...1.2

  package init() {}

  /// No second attempt.
  package static let never: RetryPolicy = {
    var policy = RetryPolicy()
    policy.retries = 0
    return policy
  }()

  static func isTransient(status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }

  /// Seconds to wait after attempt number `attempt` (the first is 0) failed; nil to give up.
  ///
  /// - Parameters:
  ///   - isUnreachable: Whether no connection came about.
  ///   - reply: The failed reply; nil if there was none.
  ///   - now: Seconds since 1970, to measure a date in `Retry-After` against.
  func delay(
    after attempt: Int, isUnreachable: Bool = false, reply: HTTPResponse?, now: Int
  ) -> Double? {
    guard attempt < (isUnreachable ? min(retriesWhenUnreachable, retries) : retries) else {
      return nil
    }
    if let asked = reply.flatMap({ Self.requestedDelay($0.headers, now: now) }) {
      return asked <= longestRequestedDelay ? asked : nil
    }
    let doubled = firstDelay * Double(1 << min(attempt, 30))
    return min(doubled, longestDelay) * Double.random(in: jitter)
  }

  /// Seconds that a server asks to wait: by its quota, by a number, or by a date.
  private static func requestedDelay(_ headers: HTTPHeaders, now: Int) -> Double? {
    if let wait = RateLimit(headers)?.wait { return Double(wait) }
    guard let text = headers["Retry-After"] else { return nil }
    if let seconds = Int(text), seconds >= 0, seconds < 1 << 32 { return Double(seconds) + 1 }
    guard let date = HTTPDate.seconds(text) else { return nil }
    let reference = headers["Date"].flatMap(HTTPDate.seconds) ?? now
    return Double(max(0, date - reference)) + 1
  }
}
