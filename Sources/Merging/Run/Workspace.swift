// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The working memory of one thread: bytes as they were read, blocks of numbers, and bytes on their way to the
/// disk.
///
/// Grows to what the largest block needs and is used again for every chunk.
final class Workspace {
  private var numbers = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var read = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit {
    read.deallocate()
    numbers.deallocate()
    bytes.deallocate()
  }

  /// `count` blocks of `capacity` elements, side by side, each aligned to a cache line.
  func blocks<S: Scalar>(of type: S.Type, _ count: Int, capacity: Int)
    -> (start: UnsafeMutablePointer<S>, stride: Int)
  {
    let stride = (capacity + 15) / 16 * 16
    let size = max(1, count * stride) * MemoryLayout<S>.stride
    if numbers.count < size {
      numbers.deallocate()
      numbers = .allocate(byteCount: size, alignment: 64)
    }
    return (numbers.baseAddress!.assumingMemoryBound(to: S.self), stride)
  }

  /// Room for the bytes of a chunk on their way out.
  func staging(_ size: Int) -> UnsafeMutableRawBufferPointer { Self.room(size, in: &bytes) }

  /// Room for bytes of inputs.
  func reading(_ size: Int) -> UnsafeMutableRawBufferPointer { Self.room(size, in: &read) }

  private static func room(_ size: Int, in buffer: inout UnsafeMutableRawBufferPointer)
    -> UnsafeMutableRawBufferPointer
  {
    if buffer.count < size {
      buffer.deallocate()
      buffer = .allocate(byteCount: size, alignment: 4096)
    }
    return UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
  }
}
