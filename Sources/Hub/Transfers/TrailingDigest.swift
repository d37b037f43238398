// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization

/// The digest of a draft, computed close behind the download.
///
/// Pieces arrive in any order; what is in from the beginning on without a gap is read back, while the
/// system still holds it in memory, and hashed. When the last piece is in, little is left to do.
final class TrailingDigest: Sendable {
  private let draft: PartialFile
  private let hasher: Mutex<Digest.Hasher>
  private let news: AsyncStream<Void>
  private let bell: AsyncStream<Void>.Continuation

  /// Bytes that are worth the start of a thread.
  private static let stride = 8 << 20

  init(of draft: PartialFile, as expected: Digest) {
    self.draft = draft
    hasher = Mutex(expected.hasher(size: draft.size))
    (news, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Tells that there is more in the draft.
  func advance() { bell.yield() }

  /// Tells that nothing more is to come.
  func end() { bell.finish() }

  /// Follows the draft until it is complete.
  ///
  /// - Parameter observe: Gets the number of bytes of each step.
  /// - Returns: The digest of the whole; nil if the draft has ended incomplete.
  func run(observe: @escaping @Sendable (Int) -> Void) async throws -> Digest? {
    var position = 0
    for await _ in news {
      let end = draft.contiguous
      guard end - position >= Self.stride else { continue }
      try await hash(position..<end, observe)
      position = end
    }
    guard draft.contiguous == draft.size else { return nil }
    try await hash(position..<draft.size, observe)
    return hasher.withLock { $0.finish() }
  }

  private func hash(_ range: Range<Int>, _ observe: @escaping @Sendable (Int) -> Void) async throws
  {
    guard !range.isEmpty else { return }
    try await BlockingWork.run { [self] cancellation in
      try hasher.withLock { hasher in
        // Small enough to stay in the processor's cache between the copy and the hash.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        for start in Swift.stride(from: range.lowerBound, to: range.upperBound, by: buffer.count) {
          try cancellation.check()
          let count = min(buffer.count, range.upperBound - start)
          let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
          try draft.read(into: part, at: start)
          hasher.update(UnsafeRawBufferPointer(part))
          observe(count)
        }
      }
    }
  }
}
