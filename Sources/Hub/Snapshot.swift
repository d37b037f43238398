// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
package import SystemPackage

/// The files of a repository at one commit, on this machine.
package struct Snapshot: Sendable {
  package struct File: Sendable {
    /// Inside the repository.
    package let path: String
    /// On this machine.
    package let place: FilePath
    package let size: Int
    /// SHA-256, or git's SHA-1 for a file that git stores itself; nil if the server names contents
    /// otherwise.
    package let digest: Digest?
    /// Whether it was there already.
    package let wasReused: Bool
    /// What bringing it took, the waiting for other files included.
    package var seconds = 0.0
  }

  package let repository: RepoID
  package let commit: CommitID
  package let folder: FilePath
  package let files: [File]
  /// False if the cache answered without knowing whether files are missing.
  package let isKnownComplete: Bool
}

extension HubCache {
  /// A snapshot as the cache has it, nothing asked of the Hub.
  ///
  /// - Parameter selection: What has to be there, if the cache knows what the commit holds.
  /// - Throws: `HubError` of kind `notInCache` or `incompleteSnapshot`.
  package func snapshot(
    of id: RepoID, _ revision: Revision, selection: FileSelection = .everything
  ) throws -> Snapshot {
    guard let commit = commit(of: revision, in: id) else {
      throw HubError(.notInCache, repository: id)
    }
    let folder = snapshotFolder(of: id, commit)
    guard let tree = trees(of: id).tree(commit) else {
      guard FileSystem.kind(folder) == .folder else { throw HubError(.notInCache, repository: id) }
      let files = try FileSystem.files(below: folder).map(\.string).filter(selection.admits)
      return Snapshot(
        repository: id, commit: commit, folder: folder,
        files: try files.map { path in
          let place = folder.pushing(FilePath(path))
          return Snapshot.File(
            path: path, place: place, size: try FileSystem.size(place), digest: nil,
            wasReused: true)
        }, isKnownComplete: false)
    }
    let wanted = selection.select(from: tree.files)
    let missing = wanted.filter { entry in
      let place = folder.pushing(FilePath(entry.path))
      return FileSystem.kind(place) != .file || (try? FileSystem.size(place)) != entry.size
    }
    guard missing.isEmpty else {
      if missing.count == wanted.count { throw HubError(.notInCache, repository: id) }
      throw HubError(.incompleteSnapshot(missing: missing.map(\.path)), repository: id)
    }
    return Snapshot(
      repository: id, commit: commit, folder: folder,
      files: wanted.map { entry in
        Snapshot.File(
          path: entry.path, place: folder.pushing(FilePath(entry.path)), size: entry.size,
          digest: entry.digest, wasReused: true)
      }, isKnownComplete: true)
  }
}
