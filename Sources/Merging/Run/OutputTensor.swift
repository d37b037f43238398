// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// The place of an output tensor in its shard.
struct OutputTensor: Sendable {
  let info: TensorInfo
  let shard: Int
  let range: Range<Int>
  let shards: OutputShards
  /// The names of the models that it is made of.
  let models: [String]

  /// Writes bytes at an offset within the tensor.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    try shards.fill(shard, bytes.count) {
      try $0.write(bytes, at: range.lowerBound + offset)
    }
  }

  /// Copies bytes of a file to an offset within the tensor.
  func copy(from source: File, at place: Int, to offset: Int, count: Int) throws {
    try shards.fill(shard, count) {
      try $0.copy(from: source, at: place, to: range.lowerBound + offset, count: count)
    }
  }

  /// The error for a block with a result that is not a finite number; nil if the inputs had it already.
  func spoiled<S: Scalar>(_ block: Block<S>, _ inputs: [InputTensor]) throws -> MergeError? {
    // One value at a time: this runs once, on the way out, or where a model is broken to begin with.
    for index in 0..<block.count {
      let element = block.offset + index
      if try inputs.contains(where: { try !$0.isFinite(element) }) { continue }
      let isSpoilt = withUnsafeTemporaryAllocation(
        byteCount: info.dtype.byteWidth, alignment: 8
      ) { S.store(block.output + index, as: info.dtype, to: $0.baseAddress!, count: 1) > 0 }
      guard isSpoilt else { continue }
      // An input may have been too large for the dtype that it was rounded to.
      let rounded = inputs.indices.first { !block[$0][index].isFinite }
      return .notFinite(
        info.name, element: element, overflow: rounded != nil || block.output[index].isFinite,
        dtype: rounded.flatMap { inputs[$0].rounding } ?? info.dtype, models: models)
    }
    return nil
  }
}
