// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// What was taken away, or would be.
package struct CacheRemoval: Sendable {
  package var paths: [FilePath] = []
  /// Bytes on the disk that are free again.
  package var bytes = 0
  /// Left alone, because another process is working on it.
  package var busy: [FilePath] = []
}

extension HubCache {
  /// Removes what broken-off downloads of this program have left, and nothing else.
  ///
  /// - Parameter isRehearsal: Whether to tell only what would be removed.
  package func prune(isRehearsal: Bool = false) throws -> CacheRemoval {
    var removal = CacheRemoval()
    for repository in try repositories() {
      let blobs = repository.folder.appending("blobs")
      for name in try Self.names(in: blobs) where Self.isOurs(name) {
        let path = blobs.appending(name)
        let bare = name.drop { $0 == "." }
        let end = bare.firstRange(of: Self.partialSuffix)?.lowerBound ?? bare.endIndex
        let etag = String(bare[..<end])
        let lockPath = lockPath(etag, of: repository.id)
        let lock = FileSystem.exists(lockPath) ? try FileLock.tryLock(lockPath) : nil
        defer { withExtendedLifetime(lock) {} }
        if lock == nil, FileSystem.exists(lockPath) {
          removal.busy.append(path)
          continue
        }
        try take(path, isRehearsal, &removal)
      }
    }
    return removal
  }

  /// Removes a commit of a repository: its snapshot, its listing, the refs that name it, and the
  /// contents that no other commit uses.
  ///
  /// Contents of the store that repositories share lose this repository's link only.
  ///
  /// - Throws: `HubError` of kind `notInCache`.
  package func remove(
    _ commit: CommitID, of id: RepoID, isRehearsal: Bool = false
  ) throws -> CacheRemoval {
    let snapshot = snapshotFolder(of: id, commit)
    guard FileSystem.kind(snapshot) == .folder else {
      throw HubError(.notInCache, repository: id)
    }
    var used: Set<FilePath> = []
    for other in commits(of: id) where other != commit {
      for link in try links(below: snapshotFolder(of: id, other)) { used.insert(blob(of: link)) }
    }
    let own = Set(try links(below: snapshot).map(blob))
    let blobs = folder(of: id).appending("blobs").lexicallyNormalized()

    var removal = CacheRemoval()
    // The refs first: a snapshot that is half gone is not to be found by its name.
    for ref in revisions(of: id) where ref.commit == commit {
      let path = folder(of: id).appending("refs").pushing(FilePath(ref.revision.text))
      try take(path, isRehearsal, &removal)
    }
    try take(trees(of: id).path(commit), isRehearsal, &removal)
    try take(folder(of: id).appending(".no_exist").appending(commit.hex), isRehearsal, &removal)
    removal.bytes += try FileSystem.files(below: snapshot).map { snapshot.pushing($0) }
      .filter { FileSystem.kindWithoutFollowing($0) == .file }.reduce(0) { $0 + Self.size($1) }
    try take(snapshot, isRehearsal, &removal)
    for path in own.subtracting(used).sorted(by: { $0.string < $1.string })
    where path.removingLastComponent() == blobs {
      try take(path, isRehearsal, &removal)
    }
    return removal
  }

  /// Where a snapshot's link leads, by its text.
  private func blob(of link: FilePath) -> FilePath {
    let target = FileSystem.symlinkTarget(link) ?? ""
    return link.removingLastComponent().pushing(target).lexicallyNormalized()
  }

  private func take(
    _ path: FilePath, _ isRehearsal: Bool, _ removal: inout CacheRemoval
  ) throws {
    guard let kind = FileSystem.kindWithoutFollowing(path) else { return }
    if kind == .file { removal.bytes += FileSystem.occupied(path) ?? Self.size(path) }
    removal.paths.append(path)
    if !isRehearsal { try FileSystem.remove(path) }
  }
}
