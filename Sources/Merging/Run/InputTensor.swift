// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// An input tensor whose bytes are mapped into memory.
struct InputTensor: Sendable {
  let file: MappedFile
  let range: Range<Int>
  let dtype: DType
  /// The narrower dtype that the recipe computes in: values are rounded to it as they are read.
  let rounding: DType?

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }

  /// The elements as numbers: in place if they are stored as such, else converted into `buffer`.
  func load<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>)
    -> UnsafePointer<S>
  {
    let source = bytes.baseAddress! + elements.lowerBound * dtype.byteWidth
    if rounding == nil, dtype == S.dtype,
      UInt(bitPattern: source) % UInt(MemoryLayout<S>.alignment) == 0
    {
      return source.assumingMemoryBound(to: S.self)
    }
    S.load(source, dtype, into: buffer, count: elements.count)
    if let rounding { S.round(buffer, to: rounding, count: elements.count) }
    return UnsafePointer(buffer)
  }

  /// Lets go of pages that will not be read again.
  func release(_ elements: Range<Int>) {
    let start = range.lowerBound
    file.release(
      start + elements.lowerBound * dtype.byteWidth..<start + elements.upperBound * dtype.byteWidth)
  }

  func prefetch(_ elements: Range<Int>) {
    let start = range.lowerBound
    file.prefetch(
      start + elements.lowerBound * dtype.byteWidth..<start + elements.upperBound * dtype.byteWidth)
  }
}

extension Scalar {
  /// Rounds values to those that `dtype` can hold.
  fileprivate static func round(
    _ values: UnsafeMutablePointer<Self>, to dtype: DType, count: Int
  ) {
    withUnsafeTemporaryAllocation(byteCount: count * dtype.byteWidth, alignment: 16) { rounded in
      guard let start = rounded.baseAddress else { return }
      _ = store(values, as: dtype, to: start, count: count)
      load(start, dtype, into: values, count: count)
    }
  }
}
