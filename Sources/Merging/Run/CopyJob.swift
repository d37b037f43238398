// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// A tensor that is copied byte for byte.
final class CopyJob: TensorJob {
  private let input: InputTensor
  private let output: OutputTensor

  /// The elements in a chunk.
  private let chunkSize: Int

  /// Bytes in a chunk that goes through memory, and in one that the system copies by itself.
  private static let (readSize, copySize) = (1 << 20, 8 << 20)

  init(_ input: InputTensor, _ output: OutputTensor) {
    self.input = input
    self.output = output
    let size = input.source is File && input.range != nil ? Self.copySize : Self.readSize
    chunkSize = size / input.dtype.byteWidth
  }

  var chunkCount: Int { max(1, (output.info.elementCount + chunkSize - 1) / chunkSize) }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    let start = chunk * chunkSize
    let end = min(start + chunkSize, output.info.elementCount)
    guard start < end else { return }
    let width = input.dtype.byteWidth
    if let file = input.source as? File, let range = input.range {
      try output.copy(
        from: file, at: range.lowerBound + start * width, to: start * width,
        count: (end - start) * width)
    } else {
      let bytes = workspace.staging((end - start) * width)
      try input.read(start..<end, into: bytes)
      try output.write(UnsafeRawBufferPointer(bytes), at: start * width)
    }
  }

  func advance() -> Bool { false }
}
