// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import SystemPackage

/// An exclusive advisory lock on a file, between processes; released when it goes out of scope.
///
/// The lock file itself stays: removing it would let two processes lock different files of one name.
package final class FileLock: Sendable {
  package let path: FilePath
  private let descriptor: Int32

  /// Waits for the lock.
  package convenience init(waitingFor path: FilePath) throws(StorageError) {
    try self.init(path, LOCK_EX)
  }

  /// Takes the lock if it is free; nil if another process (or another `FileLock`) holds it.
  package static func tryLock(_ path: FilePath) throws(StorageError) -> FileLock? {
    do throws(StorageError) {
      return try FileLock(path, LOCK_EX | LOCK_NB)
    } catch {
      if error.errno == .wouldBlock { return nil }
      throw error
    }
  }

  private init(_ path: FilePath, _ operation: Int32) throws(StorageError) {
    let fd = open(path.string, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    guard fd >= 0 else { throw StorageError("lock", path) }
    guard retrying({ flock(fd, operation) }) == 0 else {
      let failure = StorageError("lock", path)
      close(fd)
      throw failure
    }
    self.path = path
    descriptor = fd
  }

  deinit { close(descriptor) }
}
