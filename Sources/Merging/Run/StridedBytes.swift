// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
internal import Weights

/// The bytes of a tensor whose elements do not lie side by side, read so that they do.
///
/// Where only the rows are apart, each is read from its place. Where the elements of a row are apart, as in a
/// transposed matrix, the matrix that is being read is kept in memory.
final class StridedBytes: Sendable {
  private let tensor: StoredTensor
  private let strides: [Int]
  private let source: any ByteSource
  private let recent = Mutex<[Matrix]>([])

  private struct Matrix: Sendable {
    let number: Int
    let bytes: [UInt8]
  }

  /// Threads are at most in two matrices at a time: at the end of one and the beginning of the next.
  private static let keptCount = 2

  init(_ tensor: StoredTensor, strides: [Int], in source: any ByteSource) {
    self.tensor = tensor
    self.strides = strides
    self.source = source
  }

  private var width: Int { tensor.storedDType.byteWidth }

  func read(_ elements: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
    let axisCount = strides.last == 1 ? 1 : min(2, strides.count)
    let pieceLength = max(1, tensor.info.shape.suffix(axisCount).reduce(1, *))
    var next = elements.lowerBound
    while next < elements.upperBound {
      let (piece, place) = next.quotientAndRemainder(dividingBy: pieceLength)
      let part = place..<min(pieceLength, place + elements.upperBound - next)
      let first = (next - elements.lowerBound) * width
      let target = UnsafeMutableRawBufferPointer(
        rebasing: bytes[first..<first + part.count * width])
      let start = tensor.range.lowerBound + offset(ofPiece: piece, axisCount) * width
      if strides.last == 1 {
        try source.read(into: target, at: start + part.lowerBound * width)
      } else {
        try gather(part, ofMatrix: piece, at: start, into: target)
      }
      next += part.count
    }
  }

  /// The distance of a row's or a matrix's first element from the tensor's first, in elements.
  private func offset(ofPiece piece: Int, _ axisCount: Int) -> Int {
    var rest = piece
    var offset = 0
    for axis in strides.indices.dropLast(axisCount).reversed() {
      let (quotient, index) = rest.quotientAndRemainder(dividingBy: max(1, tensor.info.shape[axis]))
      offset += index * strides[axis]
      rest = quotient
    }
    return offset
  }

  private func gather(
    _ elements: Range<Int>, ofMatrix number: Int, at start: Int,
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    let shape = Array(tensor.info.shape.suffix(2))
    let strides = Array(strides.suffix(2))
    let span = zip(shape, strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 } * width
    let matrix = StoredTensor(
      info: TensorInfo(name: tensor.info.name, dtype: tensor.storedDType, shape: shape),
      shard: tensor.shard, range: start..<start + span, strides: strides)
    try self.matrix(number, at: matrix.range).withUnsafeBytes {
      if let target = target.baseAddress { matrix.gather(elements, from: $0, into: target) }
    }
  }

  private func matrix(_ number: Int, at range: Range<Int>) throws -> [UInt8] {
    try recent.withLock { recent in
      if let known = recent.first(where: { $0.number == number }) { return known.bytes }
      if recent.count == Self.keptCount { recent.removeFirst() }
      let bytes = try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
        try source.read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
        count = range.count
      }
      recent.append(Matrix(number: number, bytes: bytes))
      return bytes
    }
  }
}
