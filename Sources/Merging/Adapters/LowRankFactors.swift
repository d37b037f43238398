// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The two thin matrices of a product in memory, arranged so that a row of the product is a sum of rows.
struct LowRankFactors {
  /// For each row of the product `rank` coefficients, the scale in them, and a 1 for what it is added to.
  private let left: [Float]
  /// For each of the matrices `rank` rows.
  private let right: [Float]
  private let rank: Int
  private let rowsPerMatrix: Int
  /// Elements from one row of `right` to the next: not a power of two, or the rows would be in each other's
  /// way in the cache.
  private let stride: Int

  init(
    _ product: LowRankProduct, rowCount: Int, columnCount: Int, down: [Float], up: [Float]?
  ) {
    let count = product.matrixCount
    let rank = product.down.info.matrixShape.rows / count
    let rows = rowCount / count
    let width = (columnCount + 15) / 16 * 16 + 16
    var left = [Float](repeating: 1, count: rowCount * (rank + 1))
    let scale = Float(product.scale)
    var right = [Float](repeating: 0, count: count * rank * width)
    // down[matrix][k][in] and up[out][k][matrix]
    let inner = product.isTransposed ? rows : columnCount
    for matrix in 0..<count {
      for k in 0..<rank {
        let a = (matrix * rank + k) * inner
        let line = (matrix * rank + k) * width
        let b = { (out: Int) in up.map { $0[(out * rank + k) * count + matrix] } ?? 1 }
        for column in 0..<columnCount {
          right[line + column] = product.isTransposed ? b(column) : down[a + column]
        }
        for row in 0..<rows {
          left[(matrix * rows + row) * (rank + 1) + k] =
            scale * (product.isTransposed ? down[a + row] : b(row))
        }
      }
    }
    self.left = left
    self.right = right
    self.rank = rank
    rowsPerMatrix = max(1, rows)
    stride = width
  }

  /// Adds part of a row of the product to numbers: products first, one after the other, then what was there.
  func add(_ row: Int, _ columns: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    let first = row / rowsPerMatrix * rank * stride + columns.lowerBound
    right.withUnsafeBufferPointer { right in
      left.withUnsafeBufferPointer { left in
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: rank + 1) { lines in
          guard let right = right.baseAddress, let left = left.baseAddress,
            let start = lines.baseAddress
          else { return }
          for k in 0..<rank { start[k] = right + first + k * stride }
          start[rank] = UnsafePointer(target)
          Float.combine(
            start, left + row * (rank + 1), inputCount: rank + 1, into: target,
            count: columns.count)
        }
      }
    }
  }

  /// The same for numbers of another precision.
  func add<S: Scalar>(_ row: Int, _ columns: Range<Int>, to target: UnsafeMutablePointer<S>) {
    if S.self == Float.self {
      let target = UnsafeMutableRawPointer(target).assumingMemoryBound(to: Float.self)
      add(row, columns, to: target)
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: columns.count) { delta in
      delta.initialize(repeating: 0)
      guard let start = delta.baseAddress else { return }
      add(row, columns, to: start)
      for place in 0..<columns.count { target[place] += S(start[place]) }
    }
  }
}
