// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a checkpoint's header says about a tensor.
package struct TensorInfo: Hashable, Sendable {
  package let name: TensorName
  package let dtype: DType
  /// Axis lengths, outermost first; empty for a single number. Row-major, without strides.
  package let shape: [Int]

  package init(name: TensorName, dtype: DType, shape: [Int]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
  }

  package var elementCount: Int { shape.reduce(1, *) }
  package var byteCount: Int { elementCount * dtype.byteWidth }
  /// Length of the last axis: the elements of one row lie side by side.
  package var rowLength: Int { shape.last ?? 1 }
}

/// A tensor in a shard of a checkpoint.
package struct StoredTensor: Hashable, Sendable {
  package let info: TensorInfo
  /// Index of the shard in its checkpoint.
  package let shard: Int
  /// Where its bytes are in the shard's file.
  package let range: Range<Int>

  package init(info: TensorInfo, shard: Int, range: Range<Int>) {
    self.info = info
    self.shard = shard
    self.range = range
  }
}
