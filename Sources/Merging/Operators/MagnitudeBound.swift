// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The bound between the `count` elements of a tensor that are largest in magnitude and all others, found
/// without sorting.
///
/// A radix search over the bits of the magnitudes: each pass counts the elements by one more digit until the
/// bound is known to the last bit. Of elements exactly at the bound those with the lower index are kept.
package struct MagnitudeBound: Sendable {
  package enum Side: Sendable {
    /// The `count` largest are kept.
    case above
    /// The `count` largest are dropped.
    case below
  }

  package enum Need: Hashable, Sendable {
    /// Counts of the next digit among elements that share the known ones.
    case histogram
    /// Counts of the elements at the bound, block by block.
    case ties
  }

  /// How many elements are above the bound.
  package let count: Int
  private let side: Side
  /// How many digits of 16 bits a magnitude has: 2 in fp32, 4 in fp64.
  private let digitCount: Int
  /// The digits of the bound that are known, and their number.
  private(set) var prefix: UInt64 = 0
  private(set) var digit = 0
  /// How many elements share the known digits, and how many of these are above the bound.
  private var equal: Int
  private var equalAbove: Int
  /// The block in which the elements to keep at the bound run out, and how many it has of them.
  private var cutoff: (block: Int, quota: Int)?
  /// What is still to be found out; nil when the bound is known.
  package private(set) var need: Need?

  package init(_ count: Int, of total: Int, kept side: Side, digitCount: Int) {
    self.count = count
    self.side = side
    self.digitCount = digitCount
    equal = total
    equalAbove = count
    need = count == 0 || count == total ? nil : .histogram
  }

  /// Takes in the counts of the next digit; digit d has the counters 2d and 2d + 1.
  mutating func learn(_ bins: [UInt64]) {
    var value = bins.count / 2 - 1
    func counted(_ value: Int) -> Int { Int(bins[2 * value] + bins[2 * value + 1]) }
    while value > 0, counted(value) < equalAbove {
      equalAbove -= counted(value)
      value -= 1
    }
    prefix = prefix << 16 | UInt64(value)
    equal = counted(value)
    digit += 1
    if digit == digitCount { need = equal == equalAbove ? nil : .ties }
  }

  /// Takes in how many elements of each block are at the bound.
  mutating func learn(ties: [UInt32]) {
    var left = keptAtBound
    for (block, count) in ties.enumerated() {
      if left <= Int(count) {
        cutoff = (block, left)
        break
      }
      left -= Int(count)
    }
    need = nil
  }

  /// How many of the elements at the bound are kept.
  private var keptAtBound: Int { side == .above ? equalAbove : equal - equalAbove }

  /// The smallest magnitude above the bound, as bits.
  var threshold: UInt64 { prefix }

  /// How many of the elements of a block that are at the bound are kept.
  func quota(block: Int) -> Int {
    guard let cutoff else { return keptAtBound == 0 ? 0 : Int.max }
    return block < cutoff.block ? Int.max : block == cutoff.block ? cutoff.quota : 0
  }
}
