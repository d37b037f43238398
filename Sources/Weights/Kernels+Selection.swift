// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CKernels

// Choosing elements by magnitude, exactly and in few passes.
//
// "Magnitude" here means the bits of an element without its sign, as an integer: it grows with the
// absolute value, and NaN lies above infinity.

extension Scalar {
  /// The bits of `x` without its sign.
  package static func magnitudeBits(_ x: Self) -> UInt64 {
    if let x = x as? Double { return x.magnitude.bitPattern }
    return UInt64(Float(x).magnitude.bitPattern)
  }

  /// The absolute value with these bits.
  package static func magnitude(bits: UInt64) -> Self {
    Self.self == Double.self
      ? Self(Double(bitPattern: bits)) : Self(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
  }

  /// How many 16-bit digits a magnitude has.
  package static var digitCount: Int { dtype.byteWidth / 2 }

  /// How many bins a histogram of one digit has: two for each value, to be added together.
  package static var binCount: Int { 2 << 16 }

  /// Counts digit `digit` (0 is the highest) of the magnitudes whose higher digits are `prefix`.
  ///
  /// - Parameter bins: `binCount` counters, which are added to; value d has 2d and 2d + 1.
  package static func histogram(
    _ x: UnsafePointer<Self>, count: Int, digit: Int, prefix: UInt64,
    into bins: UnsafeMutablePointer<UInt64>
  ) {
    precondition(0..<digitCount ~= digit)
    kernels.histogram(x, count, Int32(digit), prefix, bins)
  }

  /// What is found of magnitudes at two bounds and between them.
  ///
  /// - Parameters:
  ///   - found: The magnitudes strictly between the bounds are appended to it, in their order.
  /// - Returns: How many magnitudes are above `upper`, equal to it, and equal to `lower`; if the bounds are
  ///   equal, none are told of `lower`.
  package static func findBetween(
    _ lower: UInt64, _ upper: UInt64, in x: UnsafePointer<Self>, count: Int,
    appendingTo found: inout [UInt64]
  ) -> (above: Int, atUpper: Int, atLower: Int) {
    var counts = [0, 0, 0]
    // The last element is written before it is known whether it belongs there.
    withUnsafeTemporaryAllocation(of: Self.self, capacity: count + 1) { room in
      guard let out = room.baseAddress else { return }
      let number = kernels.between(x, count, lower, upper, &counts, out)
      for index in 0..<number { found.append(magnitudeBits(out[index])) }
    }
    return (counts[0], counts[1], lower == upper ? 0 : counts[2])
  }

  /// How many elements have exactly this magnitude.
  package static func countEqual(_ x: UnsafePointer<Self>, magnitude: UInt64, count: Int) -> Int {
    kernels.count_equal(x, magnitude, count)
  }

  /// Copies the elements with a magnitude above `threshold` and the first `quota` of those that
  /// equal it; all others become zero.
  ///
  /// - Parameters:
  ///   - keys: the elements whose magnitudes decide; `x` itself if nil.
  ///   - quota: is lowered by the number of equal elements kept, ready for the next block.
  package static func keep(
    _ x: UnsafePointer<Self>, by keys: UnsafePointer<Self>? = nil,
    above threshold: UInt64, quota: inout Int,
    into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    var unlimited = Int.max
    keep(
      x, by: keys, above: threshold, quota: &quota, below: .max, quota: &unlimited, into: out,
      count: count)
  }

  /// Copies the elements with a magnitude between two bounds, and of those that equal a bound the
  /// first ones, up to its quota; all others become zero.
  ///
  /// If the bounds are equal, the quota of the lower one counts.
  package static func keep(
    _ x: UnsafePointer<Self>, by keys: UnsafePointer<Self>? = nil,
    above lower: UInt64, quota lowerQuota: inout Int,
    below upper: UInt64, quota upperQuota: inout Int,
    into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    kernels.keep(x, keys ?? x, lower, &lowerQuota, upper, &upperQuota, out, count)
  }
}
