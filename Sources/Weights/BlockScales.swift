// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Factors that stored elements are multiplied by, one for each block of a tensor.
///
/// So are weights of eight bits stored: with a factor for each square of 128 × 128 elements, for each row, or for
/// the whole tensor. The products are the numbers that the model computes with, rounded once to fp32.
package struct BlockScales: Hashable, Sendable {
  /// What the elements are stored as.
  package let dtype: DType
  /// The factors.
  package let factors: StoredTensor
  /// The number of factors along each axis of the tensor.
  package let counts: [Int]
  /// How many neighbours along each axis share a factor.
  package let block: [Int]

  /// Nil if the factors' shape does not fit the tensor's.
  ///
  /// - Parameter stated: Lengths of a block along the last axes, as the configuration states them.
  init?(_ factors: StoredTensor, of tensor: StoredTensor, stated: [Int]) {
    let lengths = tensor.info.shape
    var counts = factors.info.shape
    if counts.count == 1, counts[0] == lengths.first, lengths.count > 1 {
      // A factor for each row.
      counts += [Int](repeating: 1, count: lengths.count - 1)
    }
    guard counts.count <= lengths.count, !lengths.contains(0), factors.strides == nil,
      factors.info.dtype.isFloat
    else { return nil }
    counts = [Int](repeating: 1, count: lengths.count - counts.count) + counts
    let stated =
      [Int](repeating: 0, count: max(0, lengths.count - stated.count))
      + stated.suffix(lengths.count)
    var block: [Int] = []
    for (axis, length) in lengths.enumerated() {
      guard
        let size = [length, 1, stated[axis], 128].first(where: { size in
          size > 0 && (length - 1) / size + 1 == counts[axis]
        })
      else { return nil }
      block.append(size)
    }
    dtype = tensor.info.dtype
    self.factors = factors
    self.counts = counts
    self.block = block
  }

  /// Multiplies elements by their factors.
  ///
  /// - Parameters:
  ///   - factors: All of them.
  ///   - elements: Which elements of the tensor `values` are, counted in row-major order.
  package func apply<S: Scalar>(
    _ factors: [Float], to values: UnsafeMutablePointer<S>, _ elements: Range<Int>, of shape: [Int]
  ) {
    guard let width = shape.last, let size = block.last, let factorsInRow = counts.last else {
      for place in 0..<elements.count { values[place] *= S(factors[0]) }
      return
    }
    var next = elements.lowerBound
    while next < elements.upperBound {
      let (row, column) = next.quotientAndRemainder(dividingBy: width)
      let first = factorRow(row, shape) * factorsInRow
      let end = min(width, column + elements.upperBound - next)
      let target = values + (next - elements.lowerBound)
      var start = column
      if size == 1 {
        for column in start..<end { target[column - start] *= S(factors[first + column]) }
        start = end
      }
      while start < end {
        let stop = min(end, (start / size + 1) * size)
        let run = target + (start - column)
        S.scale(run, by: S(factors[first + start / size]), into: run, count: stop - start)
        start = stop
      }
      next += end - column
    }
  }

  /// The row of factors for a row of elements.
  private func factorRow(_ row: Int, _ shape: [Int]) -> Int {
    var rest = row
    var result = 0
    var stride = 1
    for axis in shape.indices.dropLast().reversed() {
      let (quotient, index) = rest.quotientAndRemainder(dividingBy: shape[axis])
      result += index / block[axis] * stride
      stride *= counts[axis]
      rest = quotient
    }
    return result
  }
}
