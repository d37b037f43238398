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

  init(_ input: InputTensor, _ output: OutputTensor) {
    self.input = input
    self.output = output
    chunkSize = (4 << 20) / input.dtype.byteWidth
  }

  var chunkCount: Int { max(1, (output.info.elementCount + chunkSize - 1) / chunkSize) }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    let start = chunk * chunkSize
    let end = min(start + chunkSize, output.info.elementCount)
    guard start < end else { return }
    try output.write(input.bytes(start..<end, in: workspace), at: start * input.dtype.byteWidth)
    input.release(start..<end)
  }

  func advance() -> Bool { false }
}
