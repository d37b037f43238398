// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A moment, in whole seconds since 1970.
struct Timestamp: Hashable, Sendable {
  let seconds: Int

  static var now: Timestamp { Timestamp(seconds: Int(time(nil))) }

  /// As the hub spells it: `2026-11-21T05:00:00.000Z`.
  var iso8601: String {
    var moment = time_t(seconds)
    var parts = tm()
    gmtime_r(&moment, &parts)
    func padded(_ number: Int32, _ width: Int = 2) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return padded(parts.tm_year + 1900, 4) + "-" + padded(parts.tm_mon + 1) + "-"
      + padded(parts.tm_mday) + "T" + padded(parts.tm_hour) + ":" + padded(parts.tm_min) + ":"
      + padded(parts.tm_sec) + ".000Z"
  }
}
