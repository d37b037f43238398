// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The matrices of a block, read and written as fp64 in panels: some neighbouring vectors along the longer side.
///
/// What is computed with a matrix here needs memory for squares of its shorter side and for a panel, never for the
/// whole matrix once more.
package struct MatrixPanels<S: Scalar> {
  private let block: Block<S>
  private let rowCount: Int
  private let columnCount: Int

  /// How many vectors a panel has at most.
  static var width: Int { 256 }

  init(_ block: Block<S>, columns: Int) {
    self.block = block
    rowCount = columns == 0 ? 0 : block.count / columns
    columnCount = columns
  }

  /// The length of the shorter side: of each of a panel's vectors.
  var order: Int { min(rowCount, columnCount) }

  /// Whether vectors are columns of the matrix, rather than rows.
  private var isWide: Bool { rowCount <= columnCount }

  /// Where panels begin, along the longer side.
  var starts: some Sequence<Int> { stride(from: 0, to: max(rowCount, columnCount), by: Self.width) }

  /// Memory for a panel.
  func makePanel() throws(LinearAlgebraError) -> DenseMatrix {
    isWide
      ? try DenseMatrix(rows: order, columns: Self.width)
      : try DenseMatrix(rows: Self.width, columns: order)
  }

  private func count(_ start: Int) -> Int {
    min(Self.width, max(rowCount, columnCount) - start)
  }

  /// The panel that begins at `start`, its vectors as columns.
  func view(_ panel: DenseMatrix, _ start: Int) -> MatrixView {
    let count = count(start)
    return isWide
      ? MatrixView(
        elements: panel.elements, rowCount: order, columnCount: count, stride: panel.columnCount)
      : panel.view(rows: 0..<count).transposed
  }

  /// Sets a panel to the sum of the inputs, each times its coefficient, or adds that to it.
  func load(
    _ start: Int, _ coefficients: [Double], into panel: DenseMatrix, adding: Bool = false
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: blockCapacity) { converted in
      guard let numbers = converted.baseAddress else { return }
      forEachRun(start) { offset, place, count in
        let target = panel.elements + place
        if !adding { target.update(repeating: 0, count: count) }
        for (input, coefficient) in coefficients.enumerated() where coefficient != 0 {
          Double.load(block[input] + offset, S.dtype, into: numbers, count: count)
          Double.add(numbers, scaledBy: coefficient, to: target, count: count)
        }
      }
    }
  }

  /// Adds a product of a square matrix and a panel to another panel.
  func add(_ square: DenseMatrix, times factor: DenseMatrix, to panel: DenseMatrix, _ start: Int) {
    let factor = view(factor, start)
    if isWide {
      LinearAlgebra.multiply(
        square.view, factor, adding: true, into: panel.elements, stride: panel.columnCount)
    } else {
      LinearAlgebra.multiply(
        factor.transposed, square.view.transposed, adding: true, into: panel.elements,
        stride: panel.columnCount)
    }
  }

  /// Rounds a panel and puts it in its place in the output.
  func store(_ panel: DenseMatrix, _ start: Int) {
    forEachRun(start) { offset, place, count in
      _ = Double.store(
        panel.elements + place, as: S.dtype, to: block.output + offset, count: count)
    }
  }

  /// Calls `body` with elements of a panel that lie side by side: where in the block, where in the panel, how many.
  private func forEachRun(_ start: Int, _ body: (Int, Int, Int) -> Void) {
    let count = count(start)
    if isWide {
      for row in 0..<rowCount { body(row * columnCount + start, row * Self.width, count) }
    } else {
      let total = count * columnCount
      for place in stride(from: 0, to: total, by: blockCapacity) {
        body(start * columnCount + place, place, min(blockCapacity, total - place))
      }
    }
  }
}
