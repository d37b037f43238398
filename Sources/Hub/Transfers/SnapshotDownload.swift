// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// Where a snapshot goes.
package enum SnapshotDestination: Sendable {
  case cache(HubCache)
  /// Plain files in a folder of one's own; blobs that the cache has are copied.
  case folder(FilePath, cache: HubCache?)
}

extension Repository {
  /// Brings the selected files of a revision to this machine.
  ///
  /// One request for the commit, one listing (none if it is known), and for each file that is missing
  /// its ranges. If the Hub cannot be reached, the cache answers as far as it is complete.
  ///
  /// - Throws: `HubError`, `StorageError`, `CancellationError`.
  package func fetch(
    _ revision: Revision = .main, _ selection: FileSelection = .everything,
    into destination: SnapshotDestination
  ) async throws -> Snapshot {
    do {
      let commit = try await commit(of: revision)
      return try await SnapshotDownload(
        repository: self, revision: revision, store: store(commit, destination),
        destination: destination, selection: selection
      ).run()
    } catch let error as HubError where error.isUnreachable {
      guard case .cache(let cache) = destination else { throw error }
      do {
        return try cache.snapshot(of: id, revision, selection: selection)
      } catch let missing as HubError where missing.kind == .notInCache {
        // That the Hub does not answer is what the user has to know.
        throw error
      }
    }
  }

  /// All files at a commit, as the cache knows them or else the Hub.
  package func tree(_ commit: CommitID, knownIn cache: HubCache) async throws -> Tree {
    try await tree(commit, knownIn: cache.trees(of: id))
  }

  func tree(_ commit: CommitID, knownIn trees: TreeCache) async throws -> Tree {
    if let known = trees.tree(commit) { return known }
    return try await tree(commit)
  }

  func store(_ commit: CommitID, _ destination: SnapshotDestination) -> any SnapshotStore {
    switch destination {
    case .cache(let cache):
      return CachedSnapshot(cache: cache, repository: id, commit: commit)
    case .folder(let folder, let cache):
      return LocalFolder(folder: folder, repository: id, commit: commit, cache: cache)
    }
  }
}

/// The download of a commit's files, several at a time.
private struct SnapshotDownload: Sendable {
  let repository: Repository
  let revision: Revision
  let store: any SnapshotStore
  let destination: SnapshotDestination
  let selection: FileSelection

  private var connection: HubConnection { repository.connection }

  func run() async throws -> Snapshot {
    try prepare()
    let tree = try await tree()
    try rememberAbsences(tree)
    let wanted = selection.select(from: tree.files)
    try checkSpace(for: wanted)
    connection.observe(
      .planned(
        .download, repository.id, files: wanted.count, bytes: wanted.reduce(0) { $0 + $1.size }))
    let files = try await download(wanted)
    return Snapshot(
      repository: repository.id, commit: store.commit, folder: store.folder,
      files: files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) },
      isKnownComplete: true)
  }

  private func prepare() throws {
    switch destination {
    case .cache(let cache):
      try cache.tag()
      try cache.remember(revision, is: store.commit, in: repository.id)
    case .folder: try (store as? LocalFolder)?.prepare()
    }
  }

  private func tree() async throws -> Tree {
    let tree = try await repository.tree(store.commit, knownIn: store.trees)
    try store.trees.keep(tree)
    return tree
  }

  /// Notes which of the files that were asked for by name the commit has not.
  private func rememberAbsences(_ tree: Tree) throws {
    guard case .cache(let cache) = destination else { return }
    for pattern in selection.include where pattern.isLiteral && tree[pattern.text] == nil {
      try cache.rememberAbsence(of: pattern.text, in: repository.id, at: tree.commit)
    }
  }

  /// Finds out before the first byte whether the disk can hold what is missing.
  private func checkSpace(for wanted: [TreeEntry]) throws {
    let needed = wanted.filter { !store.hasRoom(for: $0) }.reduce(0) { $0 + $1.size }
    if let free = FileSystem.freeSpace(at: store.folder), needed > free {
      throw HubError(.diskFull(needed: needed, free: free), repository: repository.id)
    }
  }

  /// Downloads the files, as many at a time as there are connections; those with one content after
  /// each other, so that it comes once.
  private func download(_ wanted: [TreeEntry]) async throws -> [Snapshot.File] {
    var contents = Dictionary(grouping: wanted, by: \.etag).values
      .sorted { $0[0].size > $1[0].size }[...]
    return try await withThrowingTaskGroup(of: [Snapshot.File].self) { group in
      func startNext() {
        guard let entries = contents.popFirst() else { return }
        group.addTask {
          var files: [Snapshot.File] = []
          for entry in entries {
            files.append(
              try await FileDownload(repository: repository, store: store, entry: entry).run())
          }
          return files
        }
      }
      for _ in 0..<connection.configuration.connections { startNext() }
      var files: [Snapshot.File] = []
      while let done = try await group.next() {
        files += done
        startNext()
      }
      return files
    }
  }
}
