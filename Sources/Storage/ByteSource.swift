// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Bytes that are read by position, from any thread: a file on this machine, or one that is elsewhere.
package protocol ByteSource: Sendable {
  /// Fills `buffer` with the bytes from `offset` on; blocks until they are there.
  ///
  /// - Throws: If they cannot be read, all of them.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws

  /// Says that a range will be read soon, perhaps more than once, so that a slow source can work ahead.
  func willRead(_ range: Range<Int>)

  /// Says that a range will not be read again.
  func didRead(_ range: Range<Int>)
}

extension ByteSource {
  package func willRead(_ range: Range<Int>) {}
  package func didRead(_ range: Range<Int>) {}
}
