// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A tensor in a shard of a checkpoint.
package struct StoredTensor: Hashable, Sendable {
  /// Name, shape, and the dtype that the tensor is to be taken for.
  package private(set) var info: TensorInfo
  /// Index of the shard in its checkpoint.
  package private(set) var shard: Int
  /// Where its bytes are in the shard's file; of a strided tensor the span from its first element to its
  /// last.
  package let range: Range<Int>
  /// Distances between neighbours along each axis, in elements; nil if the elements lie side by side in
  /// row-major order, and `range` is exactly their bytes.
  package let strides: [Int]?
  /// How its numbers come about if they are not the stored elements; nil if they are.
  package private(set) var derivation: Derivation?

  /// The making of a tensor's numbers from what files hold.
  package indirect enum Derivation: Hashable, Sendable {
    /// The stored elements, of another dtype, multiplied by factors.
    case scaled(BlockScales)
    /// Other tensors put together; the tensor itself has no bytes.
    case joined([TensorPiece])
  }

  package init(info: TensorInfo, shard: Int, range: Range<Int>, strides: [Int]? = nil) {
    self.info = info
    self.shard = shard
    self.range = range
    self.strides = strides
  }

  /// A tensor that is put together from others of the same checkpoint.
  package init(joining pieces: [TensorPiece], as info: TensorInfo) {
    self.init(info: info, shard: pieces.first?.tensor.shard ?? 0, range: 0..<0)
    derivation = .joined(pieces)
  }

  /// What its elements are stored as.
  package var storedDType: DType {
    if case .scaled(let scales) = derivation { scales.dtype } else { info.dtype }
  }

  /// The bytes that are read for it.
  package var storedByteCount: Int {
    switch derivation {
    case nil: info.byteCount
    case .scaled(let scales):
      info.elementCount * scales.dtype.byteWidth + scales.factors.info.byteCount
    case .joined(let pieces): pieces.reduce(0) { $0 + $1.tensor.storedByteCount }
    }
  }

  // MARK: The same bytes, seen otherwise

  package func named(_ name: TensorName) -> StoredTensor {
    var tensor = self
    tensor.info = TensorInfo(name: name, dtype: info.dtype, shape: info.shape)
    return tensor
  }

  /// The tensor in a checkpoint where its shard has another number.
  package func moved(toShard shard: Int) -> StoredTensor {
    var tensor = self
    tensor.shard = shard
    return tensor
  }

  /// The numbers that the elements stand for together with their factors.
  func scaled(by scales: BlockScales, as dtype: DType) -> StoredTensor {
    var tensor = self
    tensor.info = TensorInfo(name: info.name, dtype: dtype, shape: info.shape)
    tensor.derivation = .scaled(scales)
    return tensor
  }

  /// A part of the tensor, or all of it with its axes in another order, in place.
  ///
  /// - Parameters:
  ///   - start: The part's first element, counted from the tensor's first one where it is stored.
  ///   - strides: Distances between neighbours along each axis of the part, in elements; not negative.
  /// - Returns: nil if the part would reach beyond the tensor, or the tensor's numbers are not its elements.
  package func view(as name: TensorName, at start: Int, shape: [Int], strides: [Int])
    -> StoredTensor?
  {
    guard derivation == nil, start >= 0, shape.count == strides.count else { return nil }
    let info = TensorInfo(name: name, dtype: info.dtype, shape: shape)
    let width = info.dtype.byteWidth
    var last = start
    for (length, stride) in zip(shape, strides) where length > 0 { last += (length - 1) * stride }
    let isEmpty = shape.contains(0)
    let begin = range.lowerBound + start * width
    let end = isEmpty ? begin : range.lowerBound + (last + 1) * width
    guard end <= range.upperBound else { return nil }
    return StoredTensor(
      info: info, shard: shard, range: begin..<end,
      strides: isEmpty || info.denseStrides == strides ? nil : strides)
  }

  /// Distances between neighbours along each axis, whether they are the usual ones or not.
  package var allStrides: [Int] { strides ?? info.denseStrides }
}

extension TensorInfo {
  /// The distances between neighbours in row-major order.
  package var denseStrides: [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }
}
