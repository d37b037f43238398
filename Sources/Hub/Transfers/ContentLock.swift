// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// The right to write one content, against other processes and other tasks.
enum ContentLock: Sendable {
  /// Nobody else writes while this value lives.
  case held(FileLock)
  /// The file system has no locks, or locks that do not hold.
  case unsupported

  /// Waits for the lock.
  ///
  /// - Parameter tell: Called once if somebody else has it.
  static func wait(for path: FilePath, tell: () -> Void) async throws -> ContentLock {
    try FileSystem.createFolder(path.removingLastComponent())
    if let lock = try take(path) { return lock }
    tell()
    while true {
      try await Task.sleep(for: .milliseconds(200))
      if let lock = try take(path) { return lock }
    }
  }

  private static func take(_ path: FilePath) throws -> ContentLock? {
    do {
      guard let lock = try FileLock.tryLock(path) else { return nil }
      // A lock that lets a second one through protects nothing.
      return try FileLock.tryLock(path) == nil ? .held(lock) : .unsupported
    } catch {
      guard [.noLocks, .notSupported].contains(error.errno) else { throw error }
      return .unsupported
    }
  }
}
