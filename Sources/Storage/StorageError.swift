// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import SystemPackage

/// A failed operation on a file or folder: what was tried, where, and the system's reason.
package struct StorageError: Error, Hashable {
  /// What was tried, as a verb: "read", "create", "rename".
  package let operation: String
  package let path: FilePath
  package let errno: Errno
  /// More than the error number says, for example "the file is shorter than its header claims".
  package let detail: String?

  package init(_ operation: String, _ path: FilePath, errno: Errno, detail: String? = nil) {
    self.operation = operation
    self.path = path
    self.errno = errno
    self.detail = detail
  }

  /// The failure that the C library has just reported in `errno`.
  package init(_ operation: String, _ path: FilePath) {
    self.init(operation, path, errno: Errno(rawValue: Glibc.errno))
  }

  /// Whether the cause is a full disk or an exhausted quota.
  package var isDiskFull: Bool { errno == .noSpace || errno == Errno(rawValue: EDQUOT) }
  package var isNotFound: Bool { errno == .noSuchFileOrDirectory || errno == .notDirectory }
}

extension StorageError: CustomStringConvertible {
  package var description: String {
    "cannot \(operation) \(path): \(detail ?? errno.description)"
  }
}
