// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// An input tensor whose bytes are mapped into memory.
struct InputTensor: Sendable {
  let file: MappedFile
  let tensor: StoredTensor
  /// The narrower dtype that the recipe computes in: values are rounded to it as they are read.
  var rounding: DType?
  /// What an adapter does to the values before that.
  var update: LoadedUpdate?
  /// What is read instead of the tensor's own rows, if the output's vocabulary is another one.
  var rows: LoadedRows?

  var dtype: DType { tensor.info.dtype }

  /// Whether the tensor's values are its bytes, as they are.
  var isPlain: Bool { rounding == nil && update == nil && rows == nil }

  private var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
  }

  /// The stored bytes of elements: in place if they lie side by side, else copied together in `workspace`.
  func bytes(_ elements: Range<Int>, in workspace: Workspace) -> UnsafeRawBufferPointer {
    let width = dtype.byteWidth
    if tensor.strides == nil {
      return UnsafeRawBufferPointer(
        rebasing: bytes[elements.lowerBound * width..<elements.upperBound * width])
    }
    let staging = workspace.staging(elements.count * width)
    if let target = staging.baseAddress { tensor.gather(elements, from: bytes, into: target) }
    return UnsafeRawBufferPointer(staging)
  }

  /// The elements as numbers: in place if they are stored as such, else converted into `buffer`.
  func load<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>)
    -> UnsafePointer<S>
  {
    if let start = bytes.baseAddress, isPlain, tensor.strides == nil, dtype == S.dtype {
      let source = start + elements.lowerBound * dtype.byteWidth
      if UInt(bitPattern: source) % UInt(MemoryLayout<S>.alignment) == 0 {
        return source.assumingMemoryBound(to: S.self)
      }
    }
    values(elements, into: buffer)
    if let rounding { S.round(buffer, to: rounding, count: elements.count) }
    return UnsafePointer(buffer)
  }

  /// The elements as numbers, before they are rounded to what is computed in.
  func values<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) {
    if let rows {
      rows.values(elements, into: buffer)
      return
    }
    convert(elements, into: buffer)
    guard let update else { return }
    update.apply(to: buffer, elements) { convert($0, into: $1) }
    if let rounding = update.rounding { S.round(buffer, to: rounding, count: elements.count) }
  }

  /// The elements as they are stored, as numbers.
  func convert<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) {
    let width = dtype.byteWidth
    guard let start = bytes.baseAddress, !elements.isEmpty else { return }
    if tensor.strides == nil {
      S.load(start + elements.lowerBound * width, dtype, into: buffer, count: elements.count)
      return
    }
    withUnsafeTemporaryAllocation(byteCount: elements.count * width, alignment: 16) { gathered in
      guard let target = gathered.baseAddress else { return }
      tensor.gather(elements, from: bytes, into: target)
      S.load(target, dtype, into: buffer, count: elements.count)
    }
  }

  /// Whether an element is finite before it is rounded.
  func isFinite(_ element: Int) -> Bool {
    if let rows { return rows.isFinite(element) }
    let elements = element..<element + 1
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: 1) { value in
      guard let start = value.baseAddress else { return true }
      convert(elements, into: start)
      update?.apply(to: start, elements) { convert($0, into: $1) }
      return start.pointee.isFinite
    }
  }

  /// Lets go of pages that will not be read again.
  func release(_ elements: Range<Int>) {
    if let rows {
      rows.release(elements)
      return
    }
    guard tensor.strides == nil else { return }
    file.release(fileRange(elements))
  }

  func prefetch(_ elements: Range<Int>) {
    guard tensor.strides == nil, rows == nil else { return }
    file.prefetch(fileRange(elements))
  }

  private func fileRange(_ elements: Range<Int>) -> Range<Int> {
    let start = tensor.range.lowerBound
    let width = dtype.byteWidth
    return start + elements.lowerBound * width..<start + elements.upperBound * width
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
