// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// What a cache holds of one repository.
package struct CachedRepository: Sendable {
  /// One commit's files, or some of them.
  package struct Commit: Sendable {
    package let commit: CommitID
    /// The revisions that were this commit when they were last asked for.
    package let revisions: [Revision]
    package let files: Int
    /// Of all its files; contents that commits share count for each of them.
    package let bytes: Int
    /// How many of the commit's files are not here; nil if nobody has noted what it holds.
    package let missing: Int?
  }

  /// A download that has not come to its end.
  package struct Partial: Sendable {
    package let path: FilePath
    /// Bytes of the whole content.
    package let size: Int
    /// Bytes that need not be fetched again.
    package let received: Int
    /// Bytes that it takes on the disk.
    package let occupied: Int
  }

  package let id: RepoID
  package let folder: FilePath
  package let commits: [Commit]
  /// Bytes of all contents on the disk, each once, without those unfinished.
  package let bytes: Int
  package let partials: [Partial]
}

extension HubCache {
  /// The repositories that are here, by their names.
  package func repositories() throws -> [CachedRepository] {
    guard FileSystem.kind(root) == .folder else { return [] }
    return try FileSystem.names(in: root).compactMap(Self.repository(folderName:)).map(contents)
  }

  /// What the cache holds of one repository; nil if it holds nothing.
  package func repository(_ id: RepoID) throws -> CachedRepository? {
    FileSystem.kind(folder(of: id)) == .folder ? try contents(of: id) : nil
  }

  private func contents(of id: RepoID) throws -> CachedRepository {
    let revisions = revisions(of: id)
    let commits = try Self.names(in: folder(of: id).appending("snapshots")).compactMap {
      CommitID($0)
    }
    return CachedRepository(
      id: id, folder: folder(of: id),
      commits: try commits.map { commit in
        let folder = snapshotFolder(of: id, commit)
        let files = try FileSystem.files(below: folder).map { folder.pushing($0) }
        return CachedRepository.Commit(
          commit: commit, revisions: revisions.filter { $0.commit == commit }.map(\.revision),
          files: files.count, bytes: files.reduce(0) { $0 + Self.size($1) },
          missing: trees(of: id).tree(commit).map { tree in
            tree.files.count { !FileSystem.exists(folder.pushing(FilePath($0.path))) }
          })
      },
      bytes: try contentFiles(of: id).reduce(0) { $0 + Self.size($1) },
      partials: try partials(of: id))
  }

  /// The id that a folder of the cache is named after; nil for other folders.
  private static func repository(folderName: String) -> RepoID? {
    let kinds: [(String, RepoID.Kind)] = [
      ("models--", .model), ("datasets--", .dataset), ("spaces--", .space),
    ]
    for (prefix, kind) in kinds where folderName.hasPrefix(prefix) {
      // No part of an id holds two hyphens in a row.
      let name = folderName.dropFirst(prefix.count)
      guard let seam = name.firstRange(of: "--") else { return try? RepoID("\(name)", kind: kind) }
      let text = "\(name[..<seam.lowerBound])/\(name[seam.upperBound...])"
      return try? RepoID(text, kind: kind)
    }
    return nil
  }

  /// What the refs of a repository say.
  func revisions(of id: RepoID) -> [(revision: Revision, commit: CommitID)] {
    let refs = folder(of: id).appending("refs")
    let names = (try? FileSystem.files(below: refs)) ?? []
    return names.compactMap { name in
      guard let revision = Revision(name.string), revision.commit == nil,
        let commit = commit(of: revision, in: id)
      else { return nil }
      return (revision, commit)
    }
  }

  /// The places of complete contents, each once: blobs, and files that are in snapshots themselves.
  func contentFiles(of id: RepoID) throws -> [FilePath] {
    let blobs = folder(of: id).appending("blobs")
    let named = try Self.names(in: blobs).filter { (try? ETag.check($0)) != nil }
      .filter { !$0.hasSuffix(".incomplete") && !Self.isOurs($0) }.map { blobs.appending($0) }
    let snapshots = folder(of: id).appending("snapshots")
    guard FileSystem.kind(snapshots) == .folder else { return named }
    return try named
      + FileSystem.files(below: snapshots).map { snapshots.pushing($0) }
      .filter { FileSystem.kindWithoutFollowing($0) == .file }
  }

  private func partials(of id: RepoID) throws -> [CachedRepository.Partial] {
    let blobs = folder(of: id).appending("blobs")
    return try Self.names(in: blobs).filter { $0.hasSuffix(Self.partialSuffix) }.map { name in
      let path = blobs.appending(name)
      let size = Self.size(path)
      return CachedRepository.Partial(
        path: path, size: size, received: PartialFile.received(path, size: size),
        occupied: FileSystem.occupied(path) ?? size)
    }
  }

  static let partialSuffix = ".hubmerge.partial"

  /// Whether a file of the blobs folder is work in progress of this program: a draft, its journal, or
  /// a file that was about to be renamed.
  static func isOurs(_ name: String) -> Bool {
    let bare = name.hasSuffix(".journal") ? name.dropLast(".journal".count) : name[...]
    return bare.hasSuffix(partialSuffix)
      || (bare.hasPrefix(".") && bare.hasSuffix(".tmp") && bare.contains("\(partialSuffix)."))
  }

  static func names(in folder: FilePath) throws -> [String] {
    FileSystem.kind(folder) == .folder ? try FileSystem.names(in: folder) : []
  }

  static func size(_ path: FilePath) -> Int { (try? FileSystem.size(path)) ?? 0 }
}
