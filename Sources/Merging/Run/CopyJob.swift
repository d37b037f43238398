// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// A tensor that is copied byte for byte.
final class CopyJob: TensorJob {
  private let input: InputTensor
  private let output: OutputTensor

  /// The bytes in a chunk.
  private static let chunkSize = 4 << 20

  init(_ input: InputTensor, _ output: OutputTensor) {
    self.input = input
    self.output = output
  }

  var chunkCount: Int { max(1, (output.info.byteCount + Self.chunkSize - 1) / Self.chunkSize) }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    let start = chunk * Self.chunkSize
    let end = min(start + Self.chunkSize, output.info.byteCount)
    guard start < end else { return }
    try output.write(UnsafeRawBufferPointer(rebasing: input.bytes[start..<end]), at: start)
    let width = input.dtype.byteWidth
    input.release(start / width..<end / width)
  }

  func advance() -> Bool { false }
}
