// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a checkpoint's header says about a tensor.
package struct TensorInfo: Hashable, Sendable {
  package let name: TensorName
  package let dtype: DType
  /// Axis lengths, outermost first; empty for a single number. Row-major.
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

/// A tensor's place in a file.
package struct TensorEntry: Hashable, Sendable {
  package let info: TensorInfo
  /// Where its bytes are, counted from the file's first byte; of a strided tensor the span from its first
  /// element to its last.
  package let range: Range<Int>
  /// Distances between neighbours along each axis, in elements; nil if the elements lie side by side.
  package let strides: [Int]?

  package init(info: TensorInfo, range: Range<Int>, strides: [Int]? = nil) {
    self.info = info
    self.range = range
    self.strides = strides
  }
}

/// What the beginning (or the end) of a shard tells about the tensors in it.
package protocol ShardHeader: Sendable {
  /// In the order of their bytes.
  var entries: [TensorEntry] { get }
  /// Length of the whole file in bytes.
  var fileSize: Int { get }
}
