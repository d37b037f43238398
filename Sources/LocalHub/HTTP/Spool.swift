// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Storage
internal import Synchronization
internal import SystemPackage

/// A request's body on its way to a file: written and digested as it arrives.
///
/// A file of its own is removed with the last reference unless somebody has taken it.
final class Spool: Sendable {
  private struct State {
    let file: File
    var received = 0
    var isOpen = true
    let hasher: Digest.Hasher?
    var isTaken: Bool
  }

  let path: FilePath
  /// The place of the body's first byte in the file.
  private let start: Int
  private let limit: Int
  private let state: Mutex<State>
  private let whenClosed: @Sendable () -> Void

  /// A new file of at most `limit` bytes, with the SHA-256 of all that is written.
  init(creating path: FilePath, limit: Int) throws(StorageError) {
    self.path = path
    start = 0
    self.limit = limit
    whenClosed = {}
    state = Mutex(
      State(file: try File(path, .create), hasher: Digest.Hasher(.sha256), isTaken: false))
  }

  /// The bytes `range` of a file that exists.
  init(filling range: Range<Int>, of path: FilePath, whenClosed: @escaping @Sendable () -> Void)
    throws(StorageError)
  {
    self.path = path
    self.whenClosed = whenClosed
    start = range.lowerBound
    limit = range.count
    state = Mutex(State(file: try File(path, .update), hasher: nil, isTaken: true))
  }

  deinit {
    let (isOpen, isTaken) = state.withLock { ($0.isOpen, $0.isTaken) }
    if !isTaken { try? FileSystem.remove(path) }
    if isOpen { whenClosed() }
  }

  func append(_ chunk: ByteBuffer) throws {
    try state.withLock { state in
      guard chunk.readableBytes <= limit - state.received else {
        throw HubFailure.tooLarge(limit: limit)
      }
      try chunk.withUnsafeReadableBytes { bytes in
        try state.file.write(bytes, at: start + state.received)
        state.hasher?.update(bytes)
      }
      state.received += chunk.readableBytes
    }
  }

  /// Number of bytes received.
  var count: Int { state.withLock { $0.received } }

  /// Waits for the disk and closes the books: the digest of a new file. To be called once.
  func finish() throws -> Digest? {
    let digest = try state.withLock { state in
      try state.file.sync()
      state.isOpen = false
      return state.hasher?.finish()
    }
    whenClosed()
    return digest
  }

  /// Leaves the file to the caller.
  func take() -> FilePath {
    state.withLock { $0.isTaken = true }
    return path
  }
}
