// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// The download of one file into a snapshot: several ranges at once, resumed where it was, verified.
struct FileDownload: Sendable {
  let repository: Repository
  let store: any SnapshotStore
  let entry: TreeEntry

  private var connection: HubConnection { repository.connection }
  private var name: HubEvent.RepositoryFile {
    HubEvent.RepositoryFile(repository: repository.id, path: entry.path)
  }

  /// Brings the file into the snapshot, unless it is there.
  func run() async throws -> Snapshot.File {
    let start = ContinuousClock.now
    var file = try await bring()
    file.seconds = start.duration(to: .now) / .seconds(1)
    return file
  }

  private func bring() async throws -> Snapshot.File {
    if let found = try await find() { return reused(found) }
    let lock = try await ContentLock.wait(for: store.lockPath(entry)) {
      connection.observe(.waiting(.lock(path: entry.path), seconds: 0))
    }
    defer { withExtendedLifetime(lock) {} }
    // Whoever held the lock may have brought the file.
    if let found = try await find() { return reused(found) }
    connection.observe(.started(.download, name, bytes: entry.size))
    let draft = try await fetch(holding: lock)
    let place = try store.adopt(draft, as: entry)
    connection.observe(.finished(.download, name, bytes: entry.size))
    return file(at: place, wasReused: false)
  }

  private func find() async throws -> FilePath? {
    try await BlockingWork.run { _ in try store.find(entry) }
  }

  private func reused(_ place: FilePath) -> Snapshot.File {
    connection.observe(.reused(.download, name, bytes: entry.size))
    return file(at: place, wasReused: true)
  }

  private func file(at place: FilePath, wasReused: Bool) -> Snapshot.File {
    Snapshot.File(
      path: entry.path, place: place, size: entry.size, digest: entry.digest,
      wasReused: wasReused)
  }

  // MARK: Fetching

  /// The path of the complete and verified draft.
  private func fetch(holding lock: ContentLock) async throws -> FilePath {
    guard case .unsupported = lock else { return try await fetch(to: store.draft(entry)) }
    // Without a lock nobody may go on with what another has begun.
    let path = FileSystem.temporarySibling(of: store.draft(entry))
    do {
      return try await fetch(to: path)
    } catch {
      try? PartialFile.discard(path)
      throw error
    }
  }

  /// Fills a draft; one that turns out corrupt once more from the beginning.
  private func fetch(to path: FilePath) async throws -> FilePath {
    let draft = try PartialFile(path, size: entry.size)
    if draft.received > 0 {
      connection.observe(.advanced(.download, name, bytes: draft.received))
    }
    if !isIntact(try await fill(draft)) {
      connection.observe(.advanced(.download, name, bytes: -entry.size))
      try draft.restart()
      let actual = try await fill(draft)
      if !isIntact(actual) {
        try PartialFile.discard(path)
        throw HubError(
          .corrupt(path: entry.path, expected: entry.etag, actual: actual?.hex ?? ""),
          repository: repository.id)
      }
    }
    try draft.close()
    return path
  }

  private func isIntact(_ actual: Digest?) -> Bool {
    entry.digest == nil || actual == entry.digest
  }

  /// Fetches what is missing, side by side; in one piece if the server sends whole files only.
  ///
  /// - Returns: The digest of the whole; nil if there is nothing to compare it with.
  private func fill(_ draft: PartialFile) async throws -> Digest? {
    let remote = RemoteFile(repository, entry.path, at: store.commit, size: entry.size)
    do {
      return try await fetch(
        draft.missing(inPiecesOf: connection.configuration.pieceLength), of: remote, into: draft)
    } catch let error as HubError where error.kind == .rangesIgnored {
      connection.observe(.advanced(.download, name, bytes: -draft.received))
      try draft.restart()
      return try await fetch([0..<entry.size], of: remote, into: draft)
    }
  }

  /// Fetches pieces and computes the digest of the whole behind them.
  private func fetch(
    _ pieces: [Range<Int>], of remote: RemoteFile, into draft: PartialFile
  ) async throws -> Digest? {
    let trailing = entry.digest.map { TrailingDigest(of: draft, as: $0) }
    async let digest = trailing?.run { [connection, name] count in
      connection.observe(.hashed(name, bytes: count))
    }
    defer { trailing?.end() }
    trailing?.advance()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for piece in pieces {
        group.addTask {
          try await connection.permits.withPermit {
            try await fetch(piece, of: remote, into: draft) { trailing?.advance() }
          }
        }
      }
      try await group.waitForAll()
    }
    trailing?.end()
    return try await digest
  }

  private func fetch(
    _ piece: Range<Int>, of remote: RemoteFile, into draft: PartialFile,
    tell: @escaping @Sendable () -> Void
  ) async throws {
    let writer = PieceWriter(draft, at: piece.lowerBound) { [connection, name] count in
      connection.observe(.advanced(.download, name, bytes: count))
      tell()
    }
    do {
      try await remote.read(piece) { bytes, _ in try writer.append(bytes) }
    } catch {
      // What has come need not come again.
      try writer.flush()
      throw error
    }
    try writer.flush()
  }
}
