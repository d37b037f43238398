// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// An input tensor in its file.
struct InputTensor: Sendable {
  let source: any ByteSource
  let tensor: StoredTensor
  /// The narrower dtype that the recipe computes in: values are rounded to it as they are read.
  var rounding: DType?
  /// What an adapter does to the values before that.
  var update: LoadedUpdate?
  /// What is read instead of the tensor's own rows, if the output's vocabulary is another one.
  var rows: LoadedRows?
  /// What stored elements are multiplied by.
  var scaling: LoadedScaling?
  /// The tensors that it is put together from.
  var pieces: LoadedPieces?
  /// How it is read if its elements do not lie side by side.
  private let gathering: StridedBytes?

  init(_ tensor: StoredTensor, in source: any ByteSource) {
    self.source = source
    self.tensor = tensor
    gathering = tensor.strides.map { StridedBytes(tensor, strides: $0, in: source) }
  }

  var dtype: DType { tensor.info.dtype }

  /// Bytes of a stored element.
  var storedWidth: Int { tensor.storedDType.byteWidth }

  /// Whether the tensor's values are its bytes, as they are.
  var isPlain: Bool {
    rounding == nil && update == nil && rows == nil && tensor.derivation == nil
  }

  /// Whether values are made from the stored bytes of the same elements.
  var isElementwise: Bool { rows == nil && pieces == nil }

  /// Where the tensor's bytes are in its file, if they lie side by side.
  var range: Range<Int>? { gathering == nil ? tensor.range : nil }

  /// Reads the stored bytes of elements.
  func read(_ elements: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
    if let gathering { return try gathering.read(elements, into: bytes) }
    try source.read(
      into: bytes, at: tensor.range.lowerBound + elements.lowerBound * storedWidth)
  }

  /// The elements as numbers, from their stored bytes: in place if they are stored as such, else converted into
  /// `buffer`.
  func numbers<S: Scalar>(
    _ elements: Range<Int>, from bytes: UnsafeRawPointer, into buffer: UnsafeMutablePointer<S>
  ) throws -> UnsafePointer<S> {
    if isPlain, dtype == S.dtype,
      UInt(bitPattern: bytes) % UInt(MemoryLayout<S>.alignment) == 0
    {
      return bytes.assumingMemoryBound(to: S.self)
    }
    S.load(bytes, tensor.storedDType, into: buffer, count: elements.count)
    scaling?.apply(to: buffer, elements)
    try adapt(buffer, elements)
    if let rounding { S.round(buffer, to: rounding, count: elements.count) }
    return UnsafePointer(buffer)
  }

  /// Reads the elements as numbers.
  func load<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) throws {
    try values(elements, into: buffer)
    if let rounding { S.round(buffer, to: rounding, count: elements.count) }
  }

  /// Reads the elements as numbers, before they are rounded to what is computed in.
  func values<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) throws {
    if let rows { return try rows.values(elements, into: buffer) }
    try convert(elements, into: buffer)
    try adapt(buffer, elements)
  }

  /// Reads the elements as their model's files have them, as numbers.
  func convert<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) throws {
    if let pieces { return try pieces.values(elements, into: buffer) }
    let width = storedWidth
    // A large tensor that is wanted as a whole is not in memory twice.
    let step = min(elements.count, 4 * blockCapacity)
    try withUnsafeTemporaryAllocation(byteCount: step * width, alignment: 16) { bytes in
      guard let start = bytes.baseAddress else { return }
      for first in stride(from: elements.lowerBound, to: elements.upperBound, by: max(1, step)) {
        let part = first..<min(first + step, elements.upperBound)
        try read(
          part, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(part.count * width)]))
        S.load(
          start, tensor.storedDType, into: buffer + (first - elements.lowerBound),
          count: part.count)
      }
    }
    scaling?.apply(to: buffer, elements)
  }

  /// All elements, in memory.
  func numbers() throws -> [Float] {
    let count = tensor.info.elementCount
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress { try convert(0..<count, into: start) }
      initialized = count
    }
  }

  /// Gets ready what the tensor's numbers are made of beside, or instead of, its own bytes.
  ///
  /// - Parameters:
  ///   - find: Gives another tensor of the same model.
  ///   - pieces: Gives the tensors that this one is put together from.
  mutating func prepare(
    _ find: (StoredTensor) throws -> InputTensor,
    pieces: ([TensorPiece]) throws -> [InputTensor]
  ) throws {
    switch tensor.derivation {
    case .scaled(let scales):
      scaling = LoadedScaling(
        scales, shape: tensor.info.shape, factors: try find(scales.factors).numbers())
    case .joined(let places):
      self.pieces = LoadedPieces(places, width: tensor.info.rowLength, try pieces(places))
    case nil: break
    }
  }

  /// Does to elements what the adapter does.
  private func adapt<S: Scalar>(
    _ values: UnsafeMutablePointer<S>, _ elements: Range<Int>
  ) throws {
    guard let update else { return }
    try update.apply(to: values, elements) { try convert($0, into: $1) }
    if let rounding = update.rounding { S.round(values, to: rounding, count: elements.count) }
  }

  /// Whether an element is finite before it is rounded.
  func isFinite(_ element: Int) throws -> Bool {
    if let rows { return try rows.isFinite(element) }
    let elements = element..<element + 1
    return try withUnsafeTemporaryAllocation(of: Double.self, capacity: 1) { value in
      guard let start = value.baseAddress else { return true }
      try convert(elements, into: start)
      try update?.apply(to: start, elements) { try convert($0, into: $1) }
      return start.pointee.isFinite
    }
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
