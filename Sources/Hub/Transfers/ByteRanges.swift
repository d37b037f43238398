// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A set of byte positions as sorted ranges that do not touch.
struct ByteRanges: Hashable, Sendable {
  private(set) var ranges: [Range<Int>] = []

  /// The number of bytes in the set.
  var count: Int { ranges.reduce(0) { $0 + $1.count } }

  mutating func insert(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let before = ranges.prefix { $0.upperBound < range.lowerBound }
    let after = ranges[before.count...].drop { $0.lowerBound <= range.upperBound }
    let touching = ranges[before.count..<after.startIndex]
    let merged =
      min(
        range.lowerBound, touching.first?.lowerBound ?? range.lowerBound)..<max(
        range.upperBound, touching.last?.upperBound ?? range.upperBound)
    ranges = before + [merged] + after
  }

  /// What of `whole` is not in the set.
  func gaps(in whole: Range<Int>) -> [Range<Int>] {
    var gaps: [Range<Int>] = []
    var position = whole.lowerBound
    for range in ranges where range.upperBound > position && range.lowerBound < whole.upperBound {
      if range.lowerBound > position { gaps.append(position..<range.lowerBound) }
      position = range.upperBound
    }
    if position < whole.upperBound { gaps.append(position..<whole.upperBound) }
    return gaps
  }
}
