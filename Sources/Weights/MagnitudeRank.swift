// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The search for the element of one rank by magnitude, one 16-bit digit at a time.
///
/// Every pass counts the digit `digit` of the elements whose higher digits are `prefix`, with
/// `Scalar.histogram`, and ends with `descend`. After `Scalar.digitCount` passes the search is exact.
package struct MagnitudeRank: Sendable {
  /// The number of digits found so far, which is also the index of the next one.
  package private(set) var digit = 0
  /// The digits found so far; in the end the magnitude's bits.
  package private(set) var prefix: UInt64 = 0
  /// The rank, from the largest, among the elements with this prefix; in the end, among those of
  /// equal magnitude.
  package private(set) var rank: Int
  /// How many elements have this prefix; in the end, this magnitude.
  package private(set) var count = 0

  /// The search for the element that has `rank` larger ones; equal ones are ordered by index.
  package init(fromLargest rank: Int) {
    precondition(rank >= 0)
    self.rank = rank
  }

  /// Appends the digit in whose bin the rank lies.
  ///
  /// - Parameter bins: the complete histogram of one pass, `Scalar.binCount` counters; must count
  ///   more than `rank` elements.
  package mutating func descend(_ bins: UnsafePointer<UInt64>) {
    for value in (0..<1 << 16).reversed() {
      let here = Int(bins[2 * value] + bins[2 * value + 1])
      if rank < here {
        prefix = prefix << 16 | UInt64(value)
        digit += 1
        count = here
        return
      }
      rank -= here
    }
    preconditionFailure("the histogram counts too few elements")
  }
}
