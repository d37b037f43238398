// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// A tensor's update with its numbers in memory, ready to be applied to any block of the tensor.
///
/// The product is never formed as a whole: each row is a sum of the right factor's rows, taken by the merge's own
/// kernels, which give the same bits on every processor and for every cut of the tensor into blocks.
final class LoadedUpdate: Sendable {
  private let rowCount: Int
  private let columnCount: Int
  private let factors: [LowRankFactors]
  private let magnitudes: Magnitudes?
  /// What the result is rounded to; nil: not at all.
  let rounding: DType?
  /// Where a row comes from that is replaced.
  private let replacedRows: [Int: ArraySlice<Float>]

  /// Loads the base's elements of a range.
  typealias Base = (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void

  /// - Parameter load: Gives all numbers of a tensor of the adapter.
  init(
    _ update: TensorUpdate, of tensor: TensorInfo, loading load: (StoredTensor) throws -> [Float]
  ) rethrows {
    rounding = update.rounding
    columnCount = update.products.first?.columnCount ?? tensor.matrixShape.columns
    rowCount = columnCount == 0 ? 0 : tensor.elementCount / columnCount
    let (rowCount, columnCount) = (rowCount, columnCount)
    factors = try update.products.map {
      LowRankFactors(
        $0, rowCount: rowCount, columnCount: columnCount, down: try load($0.down),
        up: try $0.up.map(load))
    }
    magnitudes = try update.magnitudes.map {
      Magnitudes(try load($0), areOfColumns: update.products.first?.isTransposed ?? false)
    }
    if let rows = update.rows {
      let values = try load(rows.values)
      replacedRows = Dictionary(
        zip(
          rows.indices,
          rows.indices.indices.map { values[$0 * columnCount..<($0 + 1) * columnCount] }),
        uniquingKeysWith: { $1 })
    } else {
      replacedRows = [:]
    }
  }

  /// Changes elements of the base, which are in `values`, into the adapted ones.
  func apply<S: Scalar>(
    to values: UnsafeMutablePointer<S>, _ elements: Range<Int>, base: Base
  ) throws {
    let scales = try magnitudes.map { try $0.scales { try norms(areOfColumns: $0, base) } }
    var next = elements.lowerBound
    while next < elements.upperBound {
      let (row, column) = next.quotientAndRemainder(dividingBy: columnCount)
      let columns = column..<min(columnCount, column + elements.upperBound - next)
      let target = values + (next - elements.lowerBound)
      if let replacement = replacedRows[row] {
        for (place, index) in columns.enumerated() {
          target[place] = S(replacement[replacement.startIndex + index])
        }
      } else {
        for factors in factors { factors.add(row, columns, to: target) }
        if let magnitudes, let scales { magnitudes.scale(target, row, columns, by: scales) }
      }
      next += columns.count
    }
  }

  /// The L2 norms of the rows, or columns, of base and product together.
  private func norms(areOfColumns: Bool, _ base: Base) throws -> [Double] {
    var sums = [Double](repeating: 0, count: areOfColumns ? columnCount : rowCount)
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: columnCount) { memory in
      guard let values = memory.baseAddress else { return }
      for row in 0..<rowCount {
        try base(row * columnCount..<(row + 1) * columnCount, values)
        for factors in factors { factors.add(row, 0..<columnCount, to: values) }
        if areOfColumns {
          for column in 0..<columnCount {
            sums[column] += Double(values[column]) * Double(values[column])
          }
        } else {
          sums[row] = Float.dot(values, values, count: columnCount)
        }
      }
    }
    return sums.map { $0.squareRoot() }
  }
}
