// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Two magnitudes that a bound lies between, all but certainly.
///
/// They come from a sample. One pass over all elements then counts what is above, and gathers the little that is
/// between: the bound is exact, or known not to be between.
struct MagnitudeBracket: Hashable, Sendable {
  let lower: UInt64
  let upper: UInt64

  /// What a pass has found.
  struct Findings: Sendable {
    /// How many magnitudes are above the upper one.
    var above = 0
    /// The magnitudes strictly between the two, in the order of the elements.
    var between: [UInt64] = []
    /// What each block has of those, and how many equal to the two magnitudes.
    var blocks: [(between: Int, atUpper: Int, atLower: Int)] = []

    mutating func append(_ next: Findings) {
      above += next.above
      between += next.between
      blocks += next.blocks
    }
  }

  /// How many standard deviations the sample may be off; more happens once in millions of tensors, and costs a
  /// search.
  private static let certainty = 5.0
  /// The most magnitudes that are expected between the two: more would take too much memory.
  private static let expectedLimit = 4_000_000.0

  /// - Parameters:
  ///   - share: The share of the elements that is above the bound.
  ///   - total: The number of elements.
  ///   - sample: Magnitudes of some of them, `unit` from each place.
  /// - Returns: nil if the sample does not tell enough.
  init?(share: Double, total: Int, sample: [UInt64], unit: Int, digitCount: Int) {
    let unitCount = sample.count / max(1, unit)
    guard unitCount >= 8 else { return nil }
    let size = Double(sample.count)
    let middle = sample.radixSelect(
      rankFromLargest: min(sample.count - 1, Int(share * size)), digitCount: digitCount
    ).magnitude
    // Elements near one another are often alike: how much, the places tell.
    let shares = stride(from: 0, to: unitCount * unit, by: unit).map { start in
      Double(sample[start..<start + unit].count { $0 > middle }) / Double(unit)
    }
    let mean = shares.reduce(0, +) / Double(unitCount)
    let variance =
      shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(unitCount * (unitCount - 1))
    let margin =
      Self.certainty * max(variance, share * (1 - share) / size).squareRoot() + 4 / size
    guard 2 * margin * Double(total) <= max(Self.expectedLimit, Double(total) / 64) else {
      return nil
    }
    func magnitude(atShare share: Double) -> UInt64 {
      sample.radixSelect(
        rankFromLargest: max(0, min(sample.count - 1, Int(share * size))), digitCount: digitCount
      ).magnitude
    }
    upper = share - margin <= 0 ? .max : magnitude(atShare: share - margin)
    lower = share + margin >= 1 ? 0 : magnitude(atShare: share + margin)
  }

  /// Where the element of a rank is; nil if it is not at the two magnitudes or between them.
  ///
  /// - Returns: Its magnitude, how many elements have it, its rank among those, and how many each block has of
  ///   them.
  func place(ofRank rank: Int, in findings: Findings, digitCount: Int) -> (
    magnitude: UInt64, equal: Int, rank: Int, ties: [UInt64]
  )? {
    var rank = rank - findings.above
    guard rank >= 0 else { return nil }
    let atUpper = findings.blocks.reduce(0) { $0 + $1.atUpper }
    if rank < atUpper {
      return (upper, atUpper, rank, findings.blocks.map { UInt64($0.atUpper) })
    }
    rank -= atUpper
    if rank < findings.between.count {
      let found = findings.between.radixSelect(rankFromLargest: rank, digitCount: digitCount)
      var next = 0
      let ties = findings.blocks.map { block in
        defer { next += block.between }
        return UInt64(
          findings.between[next..<next + block.between].count { $0 == found.magnitude })
      }
      return (found.magnitude, found.equal, found.rank, ties)
    }
    rank -= findings.between.count
    let atLower = findings.blocks.reduce(0) { $0 + $1.atLower }
    guard rank < atLower else { return nil }
    return (lower, atLower, rank, findings.blocks.map { UInt64($0.atLower) })
  }
}

extension [UInt64] {
  /// The element with so many larger ones before it, how many equal it, and its rank among those.
  ///
  /// - Parameter digitCount: How many 16-bit digits the elements have.
  func radixSelect(rankFromLargest: Int, digitCount: Int) -> (
    magnitude: UInt64, equal: Int, rank: Int
  ) {
    var candidates = self
    var rank = rankFromLargest
    var found: UInt64 = 0
    for shift in stride(from: 16 * digitCount - 8, through: 0, by: -8) {
      var counts = [Int](repeating: 0, count: 256)
      for magnitude in candidates { counts[Int(magnitude >> UInt64(shift) & 0xff)] += 1 }
      var byte = 255
      while byte > 0, rank >= counts[byte] {
        rank -= counts[byte]
        byte -= 1
      }
      if counts[byte] < candidates.count {
        candidates.removeAll { Int($0 >> UInt64(shift) & 0xff) != byte }
      }
      found = found << 8 | UInt64(byte)
    }
    return (found, candidates.count, rank)
  }
}
