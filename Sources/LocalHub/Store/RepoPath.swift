// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The rules that a file's path in a repository keeps, so that every client can write it to a disk.
enum RepoPath {
  /// - Throws: `HubFailure` 400 if `path` could leave the folder it is meant for, or hide in it.
  static func check(_ path: String) throws(HubFailure) -> String {
    let isClean =
      path.utf8.count <= 1024 && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != 0x5c }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let areNames = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.count <= 255 && part != "." && part != ".."
        && part.lowercased() != ".git"
    }
    guard isClean, areNames else { throw .badRequest("Invalid file path: \(path)") }
    return path
  }
}
