// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// What a fetch would do.
package struct SnapshotForecast: Sendable {
  package struct File: Sendable {
    package let path: String
    package let size: Int
    /// The content's name in the cache.
    package let etag: String
    /// Bytes that are here already.
    package let present: Int

    /// Bytes that would come over the network.
    package var missing: Int { size - present }
  }

  package let repository: RepoID
  package let commit: CommitID
  package let folder: FilePath
  package let files: [File]

  package var size: Int { files.reduce(0) { $0 + $1.size } }
  /// Bytes that would come over the network; a content of several files comes once.
  package let missing: Int

  init(repository: RepoID, commit: CommitID, folder: FilePath, files: [File]) {
    self.repository = repository
    self.commit = commit
    self.folder = folder
    self.files = files
    var contents: [String: Int] = [:]
    for file in files { contents[file.etag] = min(contents[file.etag] ?? .max, file.missing) }
    missing = contents.values.reduce(0, +)
  }
}

extension Repository {
  /// What `fetch` would bring, found out without writing anything.
  ///
  /// Files of a plain folder count as present if they have the right length and no note says otherwise;
  /// a fetch looks closer.
  ///
  /// - Throws: `HubError`.
  package func forecast(
    _ revision: Revision = .main, _ selection: FileSelection = .everything,
    into destination: SnapshotDestination
  ) async throws -> SnapshotForecast {
    let commit = try await commit(of: revision)
    let store = store(commit, destination)
    let tree = try await tree(commit, knownIn: store.trees)
    let files = selection.select(from: tree.files)
      .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    return SnapshotForecast(
      repository: id, commit: commit, folder: store.folder,
      files: files.map { entry in
        let partial = PartialFile.received(store.draft(entry), size: entry.size)
        return SnapshotForecast.File(
          path: entry.path, size: entry.size, etag: entry.etag,
          present: store.has(entry) ? entry.size : partial)
      })
  }
}
