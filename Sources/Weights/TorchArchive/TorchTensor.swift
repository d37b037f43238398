// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A run of numbers that tensors share.
struct TorchStorage: Hashable {
  let key: String
  /// nil for a storage of bytes, whose tensors know their dtype.
  let dtype: DType?
  /// Elements, or bytes if there is no dtype.
  let count: Int

  var elementWidth: Int { dtype?.byteWidth ?? 1 }
  var byteCount: Int { count * elementWidth }

  init(key: String, dtype: DType?, count: Int) throws(TorchFault) {
    guard count >= 0 else { throw .negative }
    guard count <= Int.max / 16 else { throw .overflow }
    self.key = key
    self.dtype = dtype
    self.count = count
  }
}

/// A tensor as a view of a storage.
struct TorchTensor {
  let storage: Int
  let dtype: DType
  let shape: [Int]
  /// nil if the elements lie side by side in row-major order.
  let strides: [Int]?
  /// The bytes that it spans in its storage.
  let range: Range<Int>

  private static let maximumAxes = 8

  /// - Parameters:
  ///   - offset: Of the first element, in elements.
  ///   - strides: One for each axis, in elements.
  init(
    storage: Int, of storages: [TorchStorage], dtype: DType, offset: Int, shape: [Int],
    strides: [Int]
  ) throws(TorchFault) {
    guard shape.count <= Self.maximumAxes else { throw .tooManyAxes(shape.count) }
    guard shape.count == strides.count else { throw .call("a rebuild function") }
    guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
      throw .negative
    }
    var count = 1
    var extent = 1
    var last = offset
    for (length, stride) in zip(shape, strides) {
      count = try Self.checked(count.multipliedReportingOverflow(by: length))
      // Also of a tensor without elements: parts of its shape are multiplied too.
      extent = try Self.checked(extent.multipliedReportingOverflow(by: max(1, length)))
      guard extent <= 1 << 60 else { throw .overflow }
      let reach = try Self.checked(max(0, length - 1).multipliedReportingOverflow(by: stride))
      last = try Self.checked(last.addingReportingOverflow(reach))
    }
    let width = dtype.byteWidth
    let begin = try Self.checked(offset.multipliedReportingOverflow(by: width))
    let size = try Self.checked(count.multipliedReportingOverflow(by: width))
    var end = begin
    if count > 0 {
      end = try Self.checked(
        last.addingReportingOverflow(1).partialValue.multipliedReportingOverflow(by: width))
    }
    let available = storages[storage].byteCount
    guard last < Int.max, begin <= available, end <= available else { throw .outOfStorage }
    guard size <= available else { throw .repeatedElements }
    self.storage = storage
    self.dtype = dtype
    self.shape = shape
    self.strides = count == 0 || Self.isDense(shape, strides) ? nil : strides
    range = begin..<end
  }

  private static func checked(_ result: (partialValue: Int, overflow: Bool)) throws(TorchFault)
    -> Int
  {
    guard !result.overflow else { throw .overflow }
    return result.partialValue
  }

  private static func isDense(_ shape: [Int], _ strides: [Int]) -> Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      guard stride == expected else { return false }
      expected *= length
    }
    return true
  }
}
