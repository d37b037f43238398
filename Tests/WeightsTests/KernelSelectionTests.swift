// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

@Suite struct KernelSelectionTests {
  @Test(
    "the largest are kept, the first of equals, as a sort would", arguments: [1, 2, 700, 4096])
  func keepsLargest(count: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(count))
      // NaN lies above infinity here and in the sort by bits below.
      for x in [numbers.everyday(count, as: S.self), numbers.awkward(count, as: S.self)] {
        let order = sorted(x)
        for kept in Set([1, count / 10, count / 2, count]) where 1...count ~= kept {
          let rank = search(x, fromLargest: kept - 1)
          #expect(rank.prefix == S.magnitudeBits(x[order[kept - 1]]))
          #expect(rank.count == S.countEqual(x, magnitude: rank.prefix, count: count))
          var expected = [S](repeating: 0, count: count)
          for index in order.prefix(kept) { expected[index] = x[index] }
          var quota = rank.rank + 1
          let out = keep(x) { x, out, n in
            S.keep(x, above: rank.prefix, quota: &quota, into: out, count: n)
          }
          #expect(firstDifference(bits(out), bits(expected)) == nil)
          #expect(quota == 0)
        }
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test(
    "what is between two magnitudes is found in its order, and the rest counted",
    arguments: [0, 1, 63, 64, 65, 4000])
  func findsBetween(count: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(count) + 2)
      for x in [numbers.everyday(count, as: S.self), numbers.awkward(count, as: S.self)] {
        let magnitudes = x.map(S.magnitudeBits)
        let ordered = magnitudes.sorted()
        for (low, high) in [(0.2, 0.3), (0.5, 0.5), (0, 1)] where count > 0 {
          let lower = ordered[Int(low * Double(count - 1))]
          let upper = ordered[Int(high * Double(count - 1))]
          var found: [UInt64] = [7]
          let counts = S.findBetween(lower, upper, in: x, count: count, appendingTo: &found)
          #expect(found == [7] + magnitudes.filter { $0 > lower && $0 < upper })
          #expect(counts.above == magnitudes.count { $0 > upper })
          #expect(counts.atUpper == magnitudes.count { $0 == upper })
          #expect(counts.atLower == (lower == upper ? 0 : magnitudes.count { $0 == lower }))
        }
        var all: [UInt64] = []
        _ = S.findBetween(0, .max, in: x, count: count, appendingTo: &all)
        let most = S.magnitudeBits(-.nan) | (S.self == Double.self ? .max >> 1 : 0x7fff_ffff)
        #expect(all == magnitudes.filter { $0 > 0 && $0 < most })
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test("the middle is kept, the first of equals at both ends", arguments: [100, 4000])
  func keepsMiddle(count: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(count) + 1)
      let ties = (0..<count).map { $0 % 3 == 0 ? S(-1) : 1 }
      for x in [numbers.everyday(count, as: S.self), ties] {
        for (top, kept) in [(1, count / 2), (count / 10, count / 3), (7, 3)] {
          let upper = search(x, fromLargest: top - 1)
          let lower = search(x, fromLargest: top + kept - 1)
          // The last ones of those equal to the upper bound are dropped with the largest.
          var upperQuota = upper.count - (upper.rank + 1)
          var lowerQuota = lower.rank + 1
          if upper.prefix == lower.prefix {
            lowerQuota = kept
            upperQuota = 0
          }
          let out = keep(x) { x, out, n in
            S.keep(
              x, above: lower.prefix, quota: &lowerQuota, below: upper.prefix, quota: &upperQuota,
              into: out, count: n)
          }
          let expected = naiveMiddle(x, top: top, kept: kept)
          #expect(firstDifference(bits(out), bits(expected)) == nil)
        }
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test func `the magnitudes of other elements can decide`() {
    var numbers = AwkwardNumbers(seed: 8)
    let x = numbers.awkward(3000, as: Float.self)
    let keys = numbers.everyday(3000, as: Float.self)
    var quota = 5
    var left = 5
    var out = [Float](repeating: 9, count: 3000)
    let bound = keys[0].magnitude
    Float.keep(
      x, by: keys, above: Float.magnitudeBits(bound), quota: &quota, into: &out, count: 3000)
    let expected = zip(x, keys).map { x, key -> Float in
      if key.magnitude == bound {
        left -= 1
        return left >= 0 ? x : 0
      }
      return key.magnitude > bound ? x : 0
    }
    #expect(firstDifference(bits(out), bits(expected)) == nil)
    #expect(quota == max(left, 0))
  }

  @Test func `a histogram counts every element once`() {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: 6)
      let x = numbers.awkward(3001, as: S.self)
      var prefixes: Set<UInt64> = [0]
      for digit in 0..<S.digitCount {
        var next = Set<UInt64>()
        var total: UInt64 = 0
        for prefix in prefixes {
          var bins = [UInt64](repeating: 0, count: S.binCount)
          S.histogram(x, count: x.count, digit: digit, prefix: prefix, into: &bins)
          total += bins.reduce(0, +)
          for (index, count) in bins.enumerated() where count > 0 {
            next.insert(prefix << 16 | UInt64(index / 2))
          }
        }
        #expect(total == (digit == 0 ? 3001 : total))
        // The deeper digits are followed for a few of the prefixes only.
        prefixes = Set(next.sorted().suffix(3))
        if digit + 1 == S.digitCount {
          #expect(next.isSubset(of: Set(x.map(S.magnitudeBits))))
        }
      }
    }
    check(Float.self)
    check(Double.self)
  }

  /// Indices by falling magnitude, equal ones by rising index.
  private func sorted<S: Scalar>(_ x: [S]) -> [Int] {
    x.indices.sorted {
      let a = S.magnitudeBits(x[$0])
      let b = S.magnitudeBits(x[$1])
      return a == b ? $0 < $1 : a > b
    }
  }

  private func naiveMiddle<S: Scalar>(_ x: [S], top: Int, kept: Int) -> [S] {
    var out = [S](repeating: 0, count: x.count)
    let magnitudes = x.map(S.magnitudeBits).sorted(by: >)
    // Of each magnitude: how many lie within the kept stretch of the sorted order?
    var quota: [UInt64: Int] = [:]
    for magnitude in magnitudes[top..<top + kept] { quota[magnitude, default: 0] += 1 }
    for (index, value) in x.enumerated() {
      let magnitude = S.magnitudeBits(value)
      guard let left = quota[magnitude], left > 0 else { continue }
      quota[magnitude] = left - 1
      out[index] = value
    }
    return out
  }

  private func search<S: Scalar>(_ x: [S], fromLargest rank: Int) -> MagnitudeRank {
    var result = MagnitudeRank(fromLargest: rank)
    for digit in 0..<S.digitCount {
      var bins = [UInt64](repeating: 0, count: S.binCount)
      for (start, count) in blocks(x.count) {
        x.withUnsafeBufferPointer {
          S.histogram(
            $0.baseAddress! + start, count: count, digit: digit, prefix: result.prefix, into: &bins)
        }
      }
      result.descend(bins)
    }
    return result
  }

  /// Runs a kernel over blocks of odd lengths.
  private func keep<S: Scalar>(
    _ x: [S], _ kernel: (UnsafePointer<S>, UnsafeMutablePointer<S>, Int) -> Void
  ) -> [S] {
    var out = x
    out.withUnsafeMutableBufferPointer { buffer in
      for (start, count) in blocks(x.count) {
        kernel(buffer.baseAddress! + start, buffer.baseAddress! + start, count)
      }
    }
    return out
  }

  private func blocks(_ count: Int) -> [(start: Int, count: Int)] {
    stride(from: 0, to: count, by: 1531).map { ($0, min(1531, count - $0)) }
  }

  private func bits<S: Scalar>(_ x: [S]) -> [UInt64] {
    x.map { $0 == 0 ? 0 : S.magnitudeBits($0) ^ ($0.sign == .minus ? 1 << 63 : 0) }
  }
}
