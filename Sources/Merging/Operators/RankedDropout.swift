// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Dropout that keeps the elements of a row the more likely the larger they are.
///
/// The probability of keeping rises evenly with the rank of the magnitude, from `density` − `epsilon` for the
/// smallest to `density` + `epsilon` for the largest. Elements of equal magnitude share the mean of their ranks,
/// so that nothing but magnitudes counts; that of a row of one element is `density`.
struct RankedDropout: Sendable {
  let density: Double
  let epsilon: Double
  let key: RandomKey
  /// Whether what is kept is divided by its probability.
  let isUnbiased: Bool

  /// Zeroes what is dropped of a row.
  func apply<S: Scalar>(to values: UnsafeMutablePointer<S>, _ row: Block<S>) {
    let count = row.count
    guard count > 0 else { return }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { probabilities in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { drawn in
        guard let probability = probabilities.baseAddress, let number = drawn.baseAddress else {
          return
        }
        rank(UnsafePointer(values), count, into: probability)
        key.draw(from: UInt64(row.offset), into: number, count: count)
        keep(values, count, probability, number)
      }
    }
  }

  /// Finds the probability with which each element is kept.
  private func rank<S: Scalar>(
    _ values: UnsafePointer<S>, _ count: Int, into probability: UnsafeMutablePointer<Double>
  ) {
    var magnitudes: [UInt64] = []
    magnitudes.reserveCapacity(count)
    S.appendMagnitudes(of: values, count: count, to: &magnitudes)
    let order = MagnitudeOrder(magnitudes, digitCount: S.digitCount).indices
    let step = count > 1 ? 2 * epsilon / Double(count - 1) : 0
    let least = count > 1 ? density - epsilon : density
    var start = 0
    while start < count {
      var end = start + 1
      while end < count, magnitudes[order[end]] == magnitudes[order[start]] { end += 1 }
      let value = least + step * Double(start + end - 1) / 2
      for place in start..<end { probability[order[place]] = value }
      start = end
    }
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private func keep<S: Scalar>(
    _ values: UnsafeMutablePointer<S>, _ count: Int, _ probability: UnsafePointer<Double>,
    _ drawn: UnsafePointer<UInt32>
  ) {
    for index in 0..<count {
      if Double(drawn[index]) >= probability[index] * 4_294_967_296 {
        values[index] = 0
      } else if isUnbiased {
        values[index] *= S(1 / probability[index])
      }
    }
  }
}

/// The indices of magnitudes in ascending order, by a radix sort from the lowest digit up.
struct MagnitudeOrder {
  private(set) var indices: [Int]

  private static let digitBits = 11

  /// - Parameter digitCount: How many 16-bit digits the magnitudes have.
  init(_ magnitudes: [UInt64], digitCount: Int) {
    indices = Array(magnitudes.indices)
    var sorted = indices
    for shift in stride(from: 0, to: 16 * digitCount, by: Self.digitBits) {
      let mask = 1 << Self.digitBits - 1
      var starts = [Int](repeating: 0, count: mask + 2)
      magnitudes.withUnsafeBufferPointer { magnitudes in
        starts.withUnsafeMutableBufferPointer { starts in
          for magnitude in magnitudes { starts[Int(magnitude >> UInt64(shift)) & mask + 1] += 1 }
          for digit in 0...mask { starts[digit + 1] += starts[digit] }
          indices.withUnsafeBufferPointer { indices in
            sorted.withUnsafeMutableBufferPointer { sorted in
              for index in indices {
                let digit = Int(magnitudes[index] >> UInt64(shift)) & mask
                sorted[starts[digit]] = index
                starts[digit] += 1
              }
            }
          }
        }
      }
      swap(&indices, &sorted)
    }
  }
}
