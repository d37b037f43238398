// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// The weights of a model, each a function of its tensor's name and its place in it.
///
/// Matrices are normally distributed as after initialisation. A tuned model differs from the base in a
/// quarter of its elements, by a tenth of their spread: the sparse, small changes of fine-tuning.
struct DemoWeights {
  /// Names the stream of random numbers that the differences come from; nil for the base.
  let tuning: String?

  private static let seed: UInt64 = 2024
  private static let blockSize = 1 << 15

  /// Fills a tensor's place in its shard.
  func write(_ tensor: TensorInfo, to file: ShardFile, at range: Range<Int>) throws {
    var values = [Float](repeating: 0, count: Self.blockSize)
    var stored = [UInt8](repeating: 0, count: Self.blockSize * tensor.dtype.byteWidth)
    for first in stride(from: 0, to: tensor.elementCount, by: Self.blockSize) {
      let count = min(Self.blockSize, tensor.elementCount - first)
      fill(&values, tensor, from: first, count: count)
      try stored.withUnsafeMutableBytes { buffer in
        let bytes = UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<(count * tensor.dtype.byteWidth)])
        if let start = bytes.baseAddress {
          _ = Float.store(values, as: tensor.dtype, to: start, count: count)
        }
        let offset = range.lowerBound + first * tensor.dtype.byteWidth
        try file.write(UnsafeRawBufferPointer(bytes), at: offset)
      }
    }
  }

  private func fill(_ values: inout [Float], _ tensor: TensorInfo, from first: Int, count: Int) {
    let isNorm = tensor.shape.count == 1
    let spread: Float = isNorm ? 0.05 : 0.02
    let center: Float = isNorm ? 1 : 0
    let base = Normal(center: center, spread: spread, key: key(tensor, "base"))
    base.draw(into: &values, from: first, count: count)
    guard let tuning else { return }

    var changes = [Float](repeating: 0, count: count)
    let change = Normal(center: 0, spread: spread / 10, key: key(tensor, tuning))
    change.draw(into: &changes, from: first, count: count)
    Float.keepRandomly(
      &changes, key: key(tensor, tuning + " kept"), firstIndex: UInt64(first),
      probability32: 1 << 30, count: count)
    Float.add(changes, scaledBy: 1, to: &values, count: count)
  }

  private func key(_ tensor: TensorInfo, _ use: String) -> RandomKey {
    RandomKey(seed: Self.seed, name: "\(use)/\(tensor.name)".utf8, stream: 0)
  }
}

/// A bell curve, by the sum of four evenly distributed numbers.
private struct Normal {
  let center: Float
  let spread: Float
  let key: RandomKey

  func draw(into values: inout [Float], from first: Int, count: Int) {
    var random = [UInt32](repeating: 0, count: 2 * count)
    key.draw(from: UInt64(2 * first), into: &random, count: random.count)
    // The variance of a number below n is n² / 12, that of four of them n² / 3.
    let scale = spread / (65536 / Float(3).squareRoot())
    for index in 0..<count {
      let (a, b) = (random[2 * index], random[2 * index + 1])
      let sum = (a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16)
      values[index] = center + (Float(sum) - 131_070) * scale
    }
  }
}
