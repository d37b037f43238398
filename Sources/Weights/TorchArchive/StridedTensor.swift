// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension StoredTensor {
  /// Copies elements of a strided tensor side by side.
  ///
  /// - Parameters:
  ///   - elements: Which ones, counted in row-major order.
  ///   - source: The bytes of the tensor's `range`.
  ///   - target: Room for the elements.
  package func gather(
    _ elements: Range<Int>, from source: UnsafeRawBufferPointer,
    into target: UnsafeMutableRawPointer
  ) {
    let width = storedDType.byteWidth
    guard let start = source.baseAddress, let strides, let rowStride = strides.last,
      let rowLength = info.shape.last, rowLength > 0
    else {
      guard let start = source.baseAddress, !elements.isEmpty else { return }
      target.copyMemory(
        from: start + elements.lowerBound * width, byteCount: elements.count * width)
      return
    }
    var next = elements.lowerBound
    var out = target
    while next < elements.upperBound {
      let (row, column) = next.quotientAndRemainder(dividingBy: rowLength)
      let count = min(rowLength - column, elements.upperBound - next)
      let first = start + (offset(ofRow: row, strides) + column * rowStride) * width
      if rowStride == 1 {
        out.copyMemory(from: first, byteCount: count * width)
      } else {
        Self.copy(count, from: first, stride: rowStride * width, width: width, into: out)
      }
      out += count * width
      next += count
    }
  }

  /// The distance of a row's first element from the tensor's first, in elements.
  private func offset(ofRow row: Int, _ strides: [Int]) -> Int {
    var rest = row
    var offset = 0
    for axis in info.shape.indices.dropLast().reversed() {
      let (quotient, index) = rest.quotientAndRemainder(dividingBy: info.shape[axis])
      offset += index * strides[axis]
      rest = quotient
    }
    return offset
  }

  private static func copy(
    _ count: Int, from source: UnsafeRawPointer, stride: Int, width: Int,
    into target: UnsafeMutableRawPointer
  ) {
    func copy<N: BitwiseCopyable>(_ type: N.Type) {
      for index in 0..<count {
        let element = source.loadUnaligned(fromByteOffset: index * stride, as: N.self)
        target.storeBytes(of: element, toByteOffset: index * width, as: N.self)
      }
    }
    switch width {
    case 1: copy(UInt8.self)
    case 2: copy(UInt16.self)
    case 4: copy(UInt32.self)
    default: copy(UInt64.self)
    }
  }
}
