// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// How a tensor is cut into chunks, the units of work, and these into blocks, the units of computing.
///
/// Depends on the tensor and the method alone, so that sums are added up in the same order always.
struct Cut: Sendable {
  let elementCount: Int
  let blockSize: Int
  let chunkSize: Int
  /// What is seen of the tensor; nil for everything.
  private var sample: BlockSample?

  /// The most elements in a chunk of ordinary blocks.
  static let chunkCapacity = 32 * blockCapacity

  /// The most elements that are read at once: with those of the other inputs they are still in the processor's
  /// cache when they are converted.
  static let stretchCapacity = 4 * blockCapacity

  /// Runs of a sample in a chunk.
  private static let runsPerChunk = 64

  init(_ granularity: Granularity, _ tensor: TensorInfo) {
    elementCount = tensor.elementCount
    switch granularity {
    case .elements: blockSize = blockCapacity
    case .rows:
      let row = max(1, tensor.rowLength)
      blockSize = max(1, blockCapacity / row) * row
    case .tensor: blockSize = max(1, elementCount)
    }
    chunkSize = max(1, Self.chunkCapacity / blockSize) * blockSize
  }

  /// The cut of a pass that sees a sample only.
  func sampled(by sample: BlockSample?) -> Cut {
    var cut = self
    cut.sample = sample
    return cut
  }

  /// At least one, so that every pass comes to its end.
  var chunkCount: Int {
    if let sample {
      return max(1, (sample.runCount(of: elementCount) + Self.runsPerChunk - 1) / Self.runsPerChunk)
    }
    return max(1, (elementCount + chunkSize - 1) / chunkSize)
  }

  /// The elements of a chunk of everything.
  func elements(ofChunk chunk: Int) -> Range<Int> {
    let start = chunk * chunkSize
    return start..<min(start + chunkSize, elementCount)
  }

  /// The runs of elements whose bytes are read at once: of whole blocks, or those of the sample.
  func stretches(ofChunk chunk: Int) -> [Range<Int>] {
    if let sample {
      let first = chunk * Self.runsPerChunk
      return (first..<min(first + Self.runsPerChunk, sample.runCount(of: elementCount)))
        .map(sample.run)
    }
    let size = max(1, Self.stretchCapacity / blockSize) * blockSize
    return parts(of: elements(ofChunk: chunk), size)
  }

  func blocks(of stretch: Range<Int>) -> [Range<Int>] { parts(of: stretch, blockSize) }

  private func parts(of elements: Range<Int>, _ size: Int) -> [Range<Int>] {
    stride(from: elements.lowerBound, to: elements.upperBound, by: size).map {
      $0..<min($0 + size, elements.upperBound)
    }
  }
}
