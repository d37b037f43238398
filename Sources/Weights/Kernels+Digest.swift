// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension FastDigest {
  /// The XXH3-128 of bytes that lie side by side.
  static func xxh3(_ bytes: UnsafeRawBufferPointer) -> FastDigest {
    // An empty buffer may have no address, and none is looked at.
    let digest = withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { nothing in
      ck_xxh3(bytes.baseAddress ?? UnsafeRawPointer(nothing.baseAddress!), bytes.count)
    }
    return FastDigest(high: digest.high, low: digest.low)
  }
}
