// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage
internal import SystemPackage

/// A file system of a few kilobytes, unmounted with the last reference to it.
final class FullDisk: Sendable {
  private let path: FilePath

  static var canBeMade: Bool {
    guard geteuid() == 0 else { return false }
    let path = FileSystem.temporarySibling(of: "/tmp/hubmerge-mount")
    defer { try? FileSystem.remove(path) }
    return (try? FullDisk(at: path, kilobytes: 4)) != nil
  }

  init(at path: FilePath, kilobytes: Int) throws {
    self.path = path
    try FileSystem.createFolder(path)
    guard mount("tmpfs", path.string, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
      throw StorageError("mount", path)
    }
  }

  deinit { umount2(path.string, Int32(MNT_DETACH)) }
}
