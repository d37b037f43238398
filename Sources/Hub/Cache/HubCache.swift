// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
package import SystemPackage

/// The cache of repositories that `huggingface_hub` keeps, read and written as it does.
///
/// ```
/// models--org--name/blobs/<etag>               content
/// models--org--name/refs/<revision>            a commit, without a line end
/// models--org--name/snapshots/<commit>/<path>  a relative symlink to the blob
/// models--org--name/trees/<commit>.json        the whole listing of the commit
/// models--org--name/.no_exist/<commit>/<path>  an empty file: known not to be there
/// .locks/models--org--name/<etag>.lock
/// ```
///
/// A cache that cannot be written is still read.
package final class HubCache: Sendable {
  package let root: FilePath
  /// Whether snapshots are made of symlinks; nil until it has been tried out.
  private let linking: Mutex<Bool?>

  /// A folder for notes on which contents have been verified; nil to make none.
  private let journals: FilePath?

  /// - Parameters:
  ///   - usesSymlinks: False to keep the files themselves in the snapshots, as on file systems that have
  ///     no symlinks.
  ///   - journals: A folder for notes on which contents have been verified.
  package init(_ root: FilePath, usesSymlinks: Bool = true, journals: FilePath? = nil) {
    self.root = root
    self.journals = journals
    linking = Mutex(usesSymlinks ? nil : false)
  }

  // MARK: Where things are

  /// `models--org--name`.
  static func folderName(_ id: RepoID) -> String {
    ([id.kind.plural] + [id.namespace, id.name].compactMap { $0 }).joined(separator: "--")
  }

  package func folder(of id: RepoID) -> FilePath { root.appending(Self.folderName(id)) }

  package func snapshotFolder(of id: RepoID, _ commit: CommitID) -> FilePath {
    folder(of: id).appending("snapshots").appending(commit.hex)
  }

  func blob(_ etag: String, of id: RepoID) -> FilePath {
    folder(of: id).appending("blobs").appending(etag)
  }

  func lockPath(_ etag: String, of id: RepoID) -> FilePath {
    root.appending(".locks").appending(Self.folderName(id)).appending("\(etag).lock")
  }

  /// What is known of the contents of a repository; nil if no notes are made.
  func journal(of id: RepoID) -> DigestJournal? {
    // What only spares work is no reason to fail.
    journals.flatMap { try? DigestJournal(of: folder(of: id), in: $0) }
  }

  func trees(of id: RepoID) -> TreeCache { TreeCache(folder(of: id).appending("trees")) }

  private func refPath(_ revision: Revision, of id: RepoID) -> FilePath {
    folder(of: id).appending("refs").pushing(FilePath(revision.text))
  }

  // MARK: Reading

  /// The commit that a revision was when it was last asked for; nil if the cache does not know it.
  package func commit(of revision: Revision, in id: RepoID) -> CommitID? {
    if let commit = revision.commit { return commit }
    guard let bytes = try? FileSystem.read(refPath(revision, of: id)), bytes.count <= 64 else {
      return nil
    }
    // Some tools have written a line end, which is none of the commit.
    let text = String(decoding: bytes, as: UTF8.self)
    return CommitID(String(text.prefix { !$0.isWhitespace }))
  }

  /// What the cache knows about one file.
  package enum Lookup: Hashable, Sendable {
    case found(FilePath)
    /// The Hub has said that there is no such file at that commit.
    case absent
    case unknown
  }

  package func file(_ path: String, of id: RepoID, at commit: CommitID) -> Lookup {
    guard (try? SafePath.check(path)) != nil else { return .unknown }
    let place = snapshotFolder(of: id, commit).pushing(FilePath(path))
    if FileSystem.kind(place) == .file { return .found(place) }
    return FileSystem.exists(absenceMarker(path, of: id, at: commit)) ? .absent : .unknown
  }

  private func absenceMarker(_ path: String, of id: RepoID, at commit: CommitID) -> FilePath {
    folder(of: id).appending(".no_exist").appending(commit.hex).pushing(FilePath(path))
  }

  // MARK: Writing

  /// Remembers which commit a revision is at this moment.
  func remember(_ revision: Revision, is commit: CommitID, in id: RepoID) throws {
    guard revision.commit == nil else { return }
    let path = refPath(revision, of: id)
    if (try? FileSystem.read(path)) == Array(commit.hex.utf8) { return }
    try Self.ifWritable { () throws(StorageError) in
      try FileSystem.createFolder(path.removingLastComponent())
      try FileSystem.write(commit.hex, to: path)
    }
  }

  /// Remembers that a commit has no such file, so that programs that look for optional ones need not ask
  /// again, nor give up when offline.
  func rememberAbsence(of path: String, in id: RepoID, at commit: CommitID) throws {
    guard (try? SafePath.check(path)) != nil else { return }
    let marker = absenceMarker(path, of: id, at: commit)
    guard !FileSystem.exists(marker) else { return }
    try Self.ifWritable { () throws(StorageError) in
      try FileSystem.createFolder(marker.removingLastComponent())
      try FileSystem.write("", to: marker)
    }
  }

  /// Marks the cache's root so that backup tools pass it by.
  func tag() throws {
    let path = root.appending("CACHEDIR.TAG")
    guard !FileSystem.exists(path) else { return }
    try Self.ifWritable { () throws(StorageError) in
      try FileSystem.createFolder(root)
      try FileSystem.write(Self.tagText, to: path)
    }
  }

  static let tagText = """
    Signature: 8a477f597d28d172789f06886806bc55
    # This file is a cache directory tag created by hubmerge.
    # For information about cache directory tags, see: https://bford.info/cachedir/

    """

  /// Writes what only spares later work, unless the place cannot be written.
  static func ifWritable(_ body: () throws(StorageError) -> Void) throws(StorageError) {
    do throws(StorageError) {
      try body()
    } catch {
      guard [.readOnlyFileSystem, .permissionDenied, .notPermitted].contains(error.errno) else {
        throw error
      }
    }
  }

  /// Whether snapshots are made of symlinks here, found out by making one.
  func usesSymlinks() throws -> Bool {
    if let known = linking.withLock({ $0 }) { return known }
    try FileSystem.createFolder(root)
    let probe = FileSystem.temporarySibling(of: root.appending("link"))
    let works = (try? FileSystem.createSymlink(probe, to: "nowhere")) != nil
    try? FileSystem.remove(probe)
    linking.withLock { $0 = works }
    return works
  }
}
