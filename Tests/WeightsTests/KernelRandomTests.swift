// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

@Suite struct KernelRandomTests {
  /// The known answer of Random123's `kat_vectors` for a counter and key of zero; its others have
  /// counters that no index reaches, and are asked of the slow reading below.
  @Test func `philox gives the published numbers`() {
    var zero = [UInt32](repeating: 0, count: 4)
    RandomKey(bits: 0).draw(from: 0, into: &zero, count: 4)
    #expect(zero == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
  }

  @Test func `numbers equal a plain reading of the paper, for any index and key`() {
    var numbers = AwkwardNumbers(seed: 3)
    for _ in 0..<50 {
      let key = numbers.next()
      let first = numbers.next() >> 2
      let count = Int.random(in: 1...300, using: &numbers)
      var drawn = [UInt32](repeating: 0, count: count)
      RandomKey(bits: key).draw(from: first, into: &drawn, count: count)
      let expected = (first..<first + UInt64(count)).map { index in
        let counter = [UInt32(truncatingIfNeeded: index / 4), UInt32((index / 4) >> 32), 0, 0]
        return slowPhilox(counter, key)[Int(index % 4)]
      }
      #expect(drawn == expected)
    }
    #expect(
      slowPhilox([.max, .max, .max, .max], .max) == [
        0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd,
      ])
    #expect(
      slowPhilox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], 0x299f_31d0_a409_3822) == [
        0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1,
      ])
  }

  @Test func `a mask does not depend on how a tensor is cut`() {
    let key = RandomKey(bits: 77)
    let count = 5000
    var numbers = AwkwardNumbers(seed: 4)
    let x = numbers.awkward(count, as: Float.self).map { $0 == 0 ? 1 : $0 }
    var whole = x
    var parts = x
    Float.keepRandomly(&whole, key: key, firstIndex: 9, probability32: 1 << 30, count: count)
    parts.withUnsafeMutableBufferPointer { buffer in
      var start = 0
      while start < count {
        let length = min(Int.random(in: 1...700, using: &numbers), count - start)
        Float.keepRandomly(
          buffer.baseAddress! + start, key: key, firstIndex: 9 + UInt64(start),
          probability32: 1 << 30, count: length)
        start += length
      }
    }
    #expect(firstDifference(whole.map(\.bitPattern), parts.map(\.bitPattern)) == nil)
    var drawn = [UInt32](repeating: 0, count: count)
    key.draw(from: 9, into: &drawn, count: count)
    let expected = zip(x, drawn).map { $1 < 1 << 30 ? $0.bitPattern : 0 }
    #expect(firstDifference(whole.map(\.bitPattern), expected) == nil)
  }

  @Test("the kept share is the probability", arguments: [0, 0.001, 0.1, 0.5, 0.9, 1])
  func share(probability: Double) {
    let count = 1 << 17
    let key = RandomKey(seed: 1, name: "model.norm.weight".utf8, stream: 2)
    var x = [Double](repeating: -1, count: count)
    Double.keepRandomly(
      &x, key: key, firstIndex: 0, probability32: UInt64(probability * 0x1p32), count: count)
    let kept = Double(x.count { $0 == -1 })
    let deviation = (Double(count) * probability * (1 - probability)).squareRoot()
    #expect((kept - Double(count) * probability).magnitude <= 4 * deviation)
    #expect(x.allSatisfy { $0 == -1 || ($0 == 0 && $0.sign == .plus) })
  }

  @Test func `keys differ by seed, name and stream, and never change`() {
    var keys = Set<RandomKey>()
    for seed in 0..<20 as Range<UInt64> {
      for name in ["", "a", "b", "model.layers.0.mlp.up_proj.weight"] {
        for stream in -1..<4 {
          keys.insert(RandomKey(seed: seed, name: name.utf8, stream: stream))
        }
      }
    }
    #expect(keys.count == 20 * 4 * 5)
    #expect(
      RandomKey(seed: 42, name: "lm_head.weight".utf8, stream: 1).bits == 1_309_630_107_204_172_055)
  }

  /// Philox4x32-10, word by word.
  private func slowPhilox(_ counter: [UInt32], _ key: UInt64) -> [UInt32] {
    var c = counter
    var k = [UInt32(truncatingIfNeeded: key), UInt32(key >> 32)]
    for _ in 0..<10 {
      let p = c[0].multipliedFullWidth(by: 0xD251_1F53)
      let q = c[2].multipliedFullWidth(by: 0xCD9E_8D57)
      c = [q.high ^ c[1] ^ k[0], q.low, p.high ^ c[3] ^ k[1], p.low]
      k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c
  }
}
