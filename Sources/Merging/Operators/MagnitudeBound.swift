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
    /// Two magnitudes that the bound probably lies between, from a sample.
    case bracket
    /// The magnitude of the bound.
    case magnitude
    /// How many elements of each block are at the bound.
    case ties
  }

  /// Which of a source's series it is about.
  let series: Int
  /// How many elements are above the bound.
  let count: Int
  /// How many elements there are.
  let total: Int
  /// The blocks of tensors that are surveyed together and precede this one.
  private let firstBlock: Int
  /// How many digits of 16 bits a magnitude has: 2 in fp32, 4 in fp64.
  let digitCount: Int
  private let side: Side?
  /// What is still to be found out; nil when all is known.
  package private(set) var need: Need?
  private(set) var search: MagnitudeRank
  /// Magnitudes that the bound probably lies between; nil if it is searched for digit by digit.
  private(set) var bracket: MagnitudeBracket?
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
  /// How many elements of each block are at the bound, once that is known.
  private var ties: [UInt64]?
  /// Whether another bound has been left out.
  private var isExcluding = false

  /// The most elements whose magnitudes are all gathered, and selected from.
  static let gatheredCount = 1 << 16

  /// - Parameters:
  ///   - side: Which elements are kept; nil if only the magnitude of the last of the `count` is wanted.
  ///   - digitCount: As `MergeTensor.magnitudeDigits`.
  package init(
    _ count: Int, of total: Int, series: Int = 0, kept side: Side?, digitCount: Int,
    firstBlock: Int = 0
  ) {
    self.firstBlock = firstBlock
    self.series = series
    self.count = count
    self.total = total
    self.side = side
    self.digitCount = digitCount
    search = MagnitudeRank(fromLargest: max(0, count - 1))
    threshold = count == 0 ? .max : 0
    keepsEqual = (count == 0) == (side == .below)
    let isTrivial = total == 0 || side != nil && (count == 0 || count == total)
    need = isTrivial ? nil : total > Self.gatheredCount ? .bracket : .magnitude
  }

  /// Takes in the counts of the next digit.
  mutating func learn(histogram bins: UnsafePointer<UInt64>) {
    search.descend(bins)
    guard search.digit == digitCount else { return }
    conclude(search.prefix, equal: search.count, above: search.rank + 1)
  }

  /// Takes in the magnitudes of a sample, as many from each place it was taken at.
  mutating func learn(sample: [UInt64], unit: Int) {
    bracket = MagnitudeBracket(
      share: Double(count) / Double(total), total: total, sample: sample, unit: unit,
      digitCount: digitCount)
    need = .magnitude
  }

  /// Takes in what all elements are about the bracket.
  mutating func learn(_ findings: MagnitudeBracket.Findings) {
    guard let bracket else { return }
    if let place = bracket.place(ofRank: count - 1, in: findings, digitCount: digitCount) {
      ties = place.ties
      conclude(place.magnitude, equal: place.equal, above: place.rank + 1)
    }
    // Outside: the sample was not like the whole. Digit by digit, then.
    self.bracket = nil
  }

  /// Takes in the magnitudes of all elements.
  mutating func learn(magnitudes: [UInt64]) {
    let place = magnitudes.radixSelect(rankFromLargest: count - 1, digitCount: digitCount)
    conclude(place.magnitude, equal: place.equal, above: place.rank + 1)
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
    if need == .ties, let ties { learn(ties: ties) }
  }

  /// Leaves out what is above another bound of the series, where both are at the same magnitude.
  ///
  /// Then this bound alone decides what is kept there, so that the number of elements between the two is right.
  mutating func exclude(_ upper: MagnitudeBound) {
    guard equal > 0, upper.equal > 0, threshold == upper.threshold, !isExcluding else { return }
    isExcluding = true
    cutoff = nil
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
    let number = firstBlock + block.offset / blockCapacity
    return number < cutoff.block ? Int.max : number == cutoff.block ? cutoff.quota : 0
  }
}
