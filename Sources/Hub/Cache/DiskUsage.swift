// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage
internal import SystemPackage

extension FileSystem {
  /// Bytes that a file takes on the disk: less than its length if it has holes; nil if there is none.
  static func occupied(_ path: FilePath) -> Int? {
    var info = stat()
    guard lstat(path.string, &info) == 0 else { return nil }
    return Int(info.st_blocks) * 512
  }
}
