// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The bound between the `count` elements of a series that are largest in magnitude and all others, found
/// without sorting.
///
/// A `MagnitudeSurvey` finds its magnitude. Where only some of the elements that have just this magnitude are
/// to be kept, another pass finds which: those with the lower index.
package struct MagnitudeBound: Sendable {
  package enum Side: Sendable {
    /// The `count` largest are kept.
    case above
    /// The `count` largest are dropped.
    case below
  }

  package enum Need: Sendable {
    /// The magnitude of the bound.
    case magnitude
    /// How many elements of each block are at the bound.
    case ties
  }

  /// Which of a source's series it is about.
  let series: Int
  /// How many elements are above the bound.
  let count: Int
  /// How many digits of 16 bits a magnitude has: 2 in fp32, 4 in fp64.
  let digitCount: Int
  private let side: Side?
  /// What is still to be found out; nil when all is known.
  package private(set) var need: Need?
  private(set) var search: MagnitudeRank
  /// The smallest magnitude above the bound, as bits.
  private(set) var threshold: UInt64
  /// How many elements have this magnitude, and how many of them are above the bound and to be kept.
  private var equal = 0
  private var equalAbove = 0
  private var equalKept = 0
  /// Whether all elements at the bound are kept, or none, unless there is a cutoff.
  private var keepsEqual: Bool
  /// The block in which the elements to keep at the bound run out, and how many it has of them.
  private var cutoff: (block: Int, quota: Int)?

  /// - Parameters:
  ///   - side: Which elements are kept; nil if only the magnitude of the last of the `count` is wanted.
  ///   - digitCount: As `MergeTensor.magnitudeDigits`.
  package init(
    _ count: Int, of total: Int, series: Int = 0, kept side: Side?, digitCount: Int
  ) {
    self.series = series
    self.count = count
    self.side = side
    self.digitCount = digitCount
    search = MagnitudeRank(fromLargest: max(0, count - 1))
    threshold = count == 0 ? .max : 0
    keepsEqual = (count == 0) == (side == .below)
    let isTrivial = total == 0 || side != nil && (count == 0 || count == total)
    need = isTrivial ? nil : .magnitude
  }

  /// Takes in the counts of the next digit.
  mutating func learn(histogram bins: UnsafePointer<UInt64>) {
    search.descend(bins)
    guard search.digit == digitCount else { return }
    conclude(search.prefix, equal: search.count, above: search.rank + 1)
  }

  /// Takes in the magnitudes of all elements.
  mutating func learn(magnitudes: [UInt64]) {
    var candidates = magnitudes
    var rank = count - 1
    var found: UInt64 = 0
    for shift in stride(from: 16 * digitCount - 8, through: 0, by: -8) {
      var counts = [Int](repeating: 0, count: 256)
      for magnitude in candidates { counts[Int(magnitude >> shift & 0xff)] += 1 }
      var byte = 255
      while byte > 0, rank >= counts[byte] {
        rank -= counts[byte]
        byte -= 1
      }
      candidates.removeAll { Int($0 >> shift & 0xff) != byte }
      found = found << 8 | UInt64(byte)
    }
    conclude(found, equal: candidates.count, above: rank + 1)
  }

  private mutating func conclude(_ magnitude: UInt64, equal: Int, above: Int) {
    threshold = magnitude
    self.equal = equal
    equalAbove = above
    split(keeping: side == .below ? equal - above : above)
  }

  private mutating func split(keeping kept: Int) {
    equalKept = kept
    keepsEqual = kept > 0
    need = side == nil || kept == 0 || kept == equal ? nil : .ties
  }

  /// Leaves out what is above another bound of the series, where both are at the same magnitude.
  ///
  /// Then this bound alone decides what is kept there, so that the number of elements between the two is right.
  mutating func exclude(_ upper: MagnitudeBound) {
    guard equal > 0, upper.equal > 0, threshold == upper.threshold, cutoff == nil else { return }
    split(keeping: equalAbove - upper.equalAbove)
  }

  /// Takes in how many elements of each block are at the bound.
  mutating func learn(ties: [UInt64]) {
    var left = equalKept
    for (block, count) in ties.enumerated() {
      if left <= Int(count) {
        cutoff = (block, left)
        break
      }
      left -= Int(count)
    }
    need = nil
  }

  /// How many of the elements of a block that are at the bound are kept.
  ///
  /// - Parameter block: One of granularity `.elements`.
  func quota<S: Scalar>(_ block: Block<S>) -> Int {
    guard let cutoff else { return keepsEqual ? Int.max : 0 }
    let number = block.offset / blockCapacity
    return number < cutoff.block ? Int.max : number == cutoff.block ? cutoff.quota : 0
  }
}
