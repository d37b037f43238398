// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// The large objects that a repository may make files of: those that were sent to it, or that a commit
/// of its own has brought.
///
/// All repositories share their objects, and the digests of a gated repository's are there for everybody
/// to read: to name an object must not be enough to get it.
extension StoredRepository {
  private func mark(of digest: Digest) -> FilePath {
    folder.appending("objects").appending(digest.hex)
  }

  func owns(_ digest: Digest) -> Bool { FileSystem.exists(mark(of: digest)) }

  func own(_ digest: Digest) throws {
    let mark = mark(of: digest)
    guard !FileSystem.exists(mark) else { return }
    try FileSystem.createFolder(folder.appending("objects"))
    try FileSystem.write("", to: mark, durable: true)
  }
}
