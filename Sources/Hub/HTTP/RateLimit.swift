// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What the Hub tells about its request quota: `"api";r=0;t=55`.
struct RateLimit: Hashable {
  /// Requests left in this window.
  let remaining: Int
  /// Seconds until the window begins anew.
  let reset: Int

  /// Seconds to wait before the next request; nil if there are requests left.
  var wait: Int? { remaining == 0 ? reset + 1 : nil }

  init?(_ headers: HTTPHeaders) {
    guard let text = headers["RateLimit"] else { return nil }
    var values: [Substring: Int] = [:]
    for field in text.split(separator: ";").dropFirst() {
      let sides = field.split(separator: "=", maxSplits: 1)
      if sides.count == 2, let value = Int(sides[1].drop { $0 == " " }) {
        values[sides[0].drop { $0 == " " }] = value
      }
    }
    guard let remaining = values["r"], let reset = values["t"], (0...86_400).contains(reset) else {
      return nil
    }
    self.remaining = remaining
    self.reset = reset
  }
}
