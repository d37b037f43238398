// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension RandomKey {
  /// Draws the numbers with indices from `firstIndex` on, each of 0..<2³² equally likely.
  package func draw(
    from firstIndex: UInt64, into out: UnsafeMutablePointer<UInt32>, count: Int
  ) {
    ck_current().pointee.draw(bits, firstIndex, out, count)
  }
}

extension Scalar {
  /// Makes each element zero unless the random number with its index is below `probability32`.
  ///
  /// - Parameters:
  ///   - firstIndex: the index of the block's first element within its tensor.
  ///   - probability32: the probability of keeping an element, times 2³²; 2³² keeps all.
  package static func keepRandomly(
    _ x: UnsafeMutablePointer<Self>, key: RandomKey, firstIndex: UInt64, probability32: UInt64,
    count: Int
  ) {
    guard let below = UInt32(exactly: probability32) else { return }
    kernels.keep_randomly(x, key.bits, firstIndex, below, count)
  }
}
