// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage
internal import SystemPackage

/// Contents of files, named by their digests and never changed: `blobs/<hh>/<digest>`.
///
/// Large files are named by SHA-256, small ones as git names them.
struct BlobStore: Sendable {
  private let folder: FilePath
  /// Where files are written before they have a name.
  let incoming: FilePath

  init(root: FilePath) throws {
    folder = root.appending("blobs")
    incoming = root.appending("incoming")
    // What an earlier run did not finish is nobody's any more.
    try FileSystem.remove(incoming)
    try FileSystem.createFolder(incoming)
    try FileSystem.createFolder(folder)
  }

  func path(of digest: Digest) -> FilePath {
    folder.appending(String(digest.hex.prefix(2))).appending(digest.hex)
  }

  /// Length of a blob; nil if it is not there.
  func size(of digest: Digest) -> Int? { try? FileSystem.size(path(of: digest)) }

  func read(_ digest: Digest) throws -> [UInt8] { try FileSystem.read(path(of: digest)) }

  /// A name for a file in the making.
  func draft() -> FilePath {
    incoming.appending(String(UInt64.random(in: 0...UInt64.max), radix: 36))
  }

  /// Takes in a file whose content is already on the disk; the file goes, the blob stays.
  func adopt(_ draft: FilePath, as digest: Digest) throws {
    let target = path(of: digest)
    try FileSystem.createFolder(target.removingLastComponent())
    try FileSystem.rename(draft, to: target)
    try FileSystem.syncFolder(target.removingLastComponent())
    try FileSystem.syncFolder(folder)
  }

  /// Stores a small content under git's name.
  func store(_ content: [UInt8]) throws -> Digest {
    let digest = Digest.gitBlob(content)
    guard size(of: digest) != content.count else { return digest }
    let path = draft()
    try FileSystem.write(content, to: path, durable: true)
    try adopt(path, as: digest)
    return digest
  }

  /// Takes in a copy of a file that belongs to somebody else; a hard link would change with it.
  func copy(_ file: FilePath) throws -> Digest {
    let path = draft()
    do {
      try FileSystem.copy(file, to: path)
      let digest = try Digest.ofFile(path)
      try File(path, .update).sync()
      try adopt(path, as: digest)
      return digest
    } catch {
      try? FileSystem.remove(path)
      throw error
    }
  }
}
