// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import COpenBLAS
internal import Glibc

/// Why a computation with matrices has no result.
package enum LinearAlgebraError: Error, Hashable {
  /// A matrix holds values that are not finite, or so large that their squares are not.
  case notFinite
  /// LAPACK's iteration found no eigenvalues.
  case notConverged
  /// There is no memory for so many bytes.
  case outOfMemory(Int)
}

/// What is asked of the system's BLAS and LAPACK (OpenBLAS): the only place that does.
///
/// Everything is computed in fp64 on the calling thread: OpenBLAS is held to one, so that results do not depend
/// on a number of threads and our own threads stay in charge. They do depend on the kind of processor, in the last
/// digits, because OpenBLAS chooses its kernels by it.
package enum LinearAlgebra {
  /// The most rows of a matrix whose eigenvalues can be found: LAPACK counts its workspace in 32 bits.
  package static let maximumOrder = 32_000

  private static let isPinned: Bool = {
    openblas_set_num_threads(1)
    return openblas_get_num_threads() == 1
  }()

  /// c = factor · a · b, or that added to c.
  ///
  /// - Parameter stride: From one row of c to the next.
  package static func multiply(
    _ a: MatrixView, _ b: MatrixView, by factor: Double = 1, adding: Bool = false,
    into c: UnsafeMutablePointer<Double>, stride: Int
  ) {
    precondition(a.columnCount == b.rowCount && isPinned)
    guard a.rowCount > 0, b.columnCount > 0 else { return }
    if a.columnCount == 0 {
      if adding { return }
      for row in 0..<a.rowCount { (c + row * stride).update(repeating: 0, count: b.columnCount) }
      return
    }
    cblas_dgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, Int32(a.rowCount), Int32(b.columnCount),
      Int32(a.columnCount), factor, a.elements, Int32(a.stride), b.elements, Int32(b.stride),
      adding ? 1 : 0, c, Int32(stride))
  }

  /// Adds x · xᵀ to the upper triangle of c.
  package static func addGram(of x: MatrixView, to c: DenseMatrix) {
    precondition(x.rowCount == c.rowCount && isPinned)
    guard x.rowCount > 0, x.columnCount > 0 else { return }
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, x.isTransposed ? CblasTrans : CblasNoTrans, Int32(x.rowCount),
      Int32(x.columnCount), 1, x.elements, Int32(x.stride), 1, c.elements, Int32(c.columnCount))
  }

  /// The eigenvalues, ascending, of the symmetric matrix whose upper triangle `matrix` holds; its rows become the
  /// eigenvectors in this order.
  package static func diagonalize(_ matrix: DenseMatrix) throws(LinearAlgebraError) -> [Double] {
    let order = matrix.rowCount
    precondition(order == matrix.columnCount && order <= maximumOrder && isPinned)
    guard order > 0 else { return [] }
    guard Double.countNonFinite(matrix.elements, count: order * order) == 0 else {
      throw .notFinite
    }
    let work = try DenseMatrix(rows: 1, columns: 1 + 6 * order + 2 * order * order)
    var n = Int32(order)
    var workCount = Int32(work.columnCount)
    var indexCount = Int32(3 + 5 * order)
    var indices = [Int32](repeating: 0, count: Int(indexCount))
    var values = [Double](repeating: 0, count: order)
    var info: Int32 = 0
    // To Fortran, which counts columns first, the upper triangle is the lower one.
    dsyevd_(
      "V", "L", &n, matrix.elements, &n, &values, work.elements, &workCount, &indices, &indexCount,
      &info, 1, 1)
    guard info == 0 else { throw .notConverged }
    return values
  }
}

/// A matrix of fp64 numbers in memory of its own, row after row, zeros to begin with.
package final class DenseMatrix {
  package let rowCount: Int
  package let columnCount: Int
  package let elements: UnsafeMutablePointer<Double>

  package init(rows: Int, columns: Int) throws(LinearAlgebraError) {
    let (count, isTooMany) = rows.multipliedReportingOverflow(by: columns)
    let (size, isTooLarge) = max(count, 1).multipliedReportingOverflow(by: 8)
    var memory: UnsafeMutableRawPointer?
    // Aligned, so that the kernels take the same path each time.
    guard !isTooMany, !isTooLarge, posix_memalign(&memory, 64, size) == 0, let memory else {
      throw .outOfMemory(isTooMany || isTooLarge ? .max : size)
    }
    rowCount = rows
    columnCount = columns
    elements = memory.initializeMemory(as: Double.self, repeating: 0, count: max(count, 1))
  }

  deinit { free(elements) }

  /// The first of a row's elements.
  package subscript(row: Int) -> UnsafeMutablePointer<Double> { elements + row * columnCount }

  package var view: MatrixView { view(rows: 0..<rowCount) }

  /// Some of the rows.
  package func view(rows: Range<Int>) -> MatrixView {
    MatrixView(
      elements: self[rows.lowerBound], rowCount: rows.count, columnCount: columnCount,
      stride: columnCount)
  }
}

/// A matrix in memory that somebody else keeps, for as long as one call lasts.
package struct MatrixView {
  package let elements: UnsafePointer<Double>
  package private(set) var rowCount: Int
  package private(set) var columnCount: Int
  /// From one stored row to the next.
  package let stride: Int
  /// Whether what is stored as rows are the columns.
  package private(set) var isTransposed = false

  package init(elements: UnsafePointer<Double>, rowCount: Int, columnCount: Int, stride: Int) {
    self.elements = elements
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = max(1, stride)
  }

  package var transposed: MatrixView {
    var result = self
    swap(&result.rowCount, &result.columnCount)
    result.isTransposed.toggle()
    return result
  }
}
