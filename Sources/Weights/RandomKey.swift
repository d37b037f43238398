// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The key of one stream of random numbers, which are a function of the key and an index alone.
///
/// The numbers are those of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011): number i is word i % 4 of the block with counter i / 4. So any part of a
/// tensor can be drawn on any machine, in any order.
package struct RandomKey: Hashable, Sendable {
  package let bits: UInt64

  package init(bits: UInt64) { self.bits = bits }

  /// The key for one use of randomness: FNV-1a over the 8 bytes of the seed, the 8 bytes of the
  /// stream (both with the low byte first) and the bytes of the name, then the finaliser of
  /// SplitMix64, which spreads every bit over all.
  ///
  /// - Parameters:
  ///   - name: mostly the name of a tensor.
  ///   - stream: tells draws for one tensor apart, such as those for different models.
  package init(seed: UInt64, name: some Sequence<UInt8>, stream: Int) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    for word in [seed, UInt64(bitPattern: Int64(stream))] {
      for shift in stride(from: 0, to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    for byte in name { mix(byte) }
    hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
    bits = hash ^ hash >> 31
  }
}
