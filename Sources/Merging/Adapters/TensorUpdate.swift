// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// What an adapter does to a tensor of its model whenever that is read.
///
/// The tensor is seen as a matrix: its first axis counts the rows, all others together the columns. First the
/// products are added, then rows or columns are brought to their magnitudes, then whole rows are replaced.
package struct TensorUpdate: Hashable, Sendable {
  /// One of each adapter that changes the tensor.
  package var products: [LowRankProduct]
  /// The L2 norms that rows get, or columns if the product is transposed (DoRA).
  package var magnitudes: StoredTensor?
  package var rows: ReplacedRows?
  /// What the result is rounded to; nil: not at all.
  package var rounding: DType?

  package init(
    products: [LowRankProduct] = [], magnitudes: StoredTensor? = nil, rows: ReplacedRows? = nil
  ) {
    self.products = products
    self.magnitudes = magnitudes
    self.rows = rows
  }

  /// The tensors of the adapter that the update is made of.
  package var sources: [StoredTensor] {
    (products.flatMap { [$0.down, $0.up] } + [magnitudes, rows?.values]).compactMap(\.self)
  }
}

/// A matrix that is stored as the product of two thin ones: scale · up · down.
package struct LowRankProduct: Hashable, Sendable {
  /// `[rank, in]`, PEFT's `lora_A`.
  package let down: StoredTensor
  /// `[out, rank]`, PEFT's `lora_B`; nil for 1.
  package let up: StoredTensor?
  package let scale: Double
  /// Whether the tensor is stored `[in, out]`, so that the product has to be transposed.
  package let isTransposed: Bool
  /// How many matrices of their own the tensor holds, one after the other; the rows of `down` belong to
  /// one after the other, the columns of `up` to one and the next by turns.
  package let matrixCount: Int

  package init(
    down: StoredTensor, up: StoredTensor?, scale: Double, isTransposed: Bool = false,
    matrixCount: Int = 1
  ) {
    self.down = down
    self.up = up
    self.scale = scale
    self.isTransposed = isTransposed
    self.matrixCount = matrixCount
  }

  /// How many columns it has where it is added.
  var columnCount: Int {
    if isTransposed, let up { return up.info.matrixShape.rows }
    return down.info.matrixShape.columns
  }
}

/// Rows that have been trained by themselves.
package struct ReplacedRows: Hashable, Sendable {
  /// `[indices.count, columns]`
  package let values: StoredTensor
  package let indices: [Int]

  package init(values: StoredTensor, indices: [Int]) {
    self.values = values
    self.indices = indices
  }
}
