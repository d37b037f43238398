// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A tensor's place in a larger one that it is a part of.
///
/// Both are seen as matrices: the last axis is a row, all others together count the rows.
package struct TensorPiece: Hashable, Sendable {
  package let tensor: StoredTensor
  /// The row of the whole that the piece's first row is a part of; the others follow.
  package let firstRow: Int
  /// Where in the row its first element is, and how far apart its elements are.
  package let firstColumn: Int
  package let columnStep: Int

  package init(
    _ tensor: StoredTensor, firstRow: Int, firstColumn: Int = 0, columnStep: Int = 1
  ) {
    self.tensor = tensor
    self.firstRow = firstRow
    self.firstColumn = firstColumn
    self.columnStep = columnStep
  }

  package var width: Int { tensor.info.rowLength }
  package var rows: Range<Int> {
    firstRow..<firstRow + (width == 0 ? 0 : tensor.info.elementCount / width)
  }
}
