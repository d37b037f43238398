// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
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
    try await fill(draft)
    if try await mismatch(draft) != nil {
      connection.observe(.advanced(.download, name, bytes: -entry.size))
      try draft.restart()
      try await fill(draft)
      if let actual = try await mismatch(draft) {
        try PartialFile.discard(path)
        throw HubError(
          .corrupt(path: entry.path, expected: entry.etag, actual: actual),
          repository: repository.id)
      }
    }
    try draft.close()
    return path
  }

  /// Fetches what is missing, side by side; in one piece if the server sends whole files only.
  private func fill(_ draft: PartialFile) async throws {
    let remote = RemoteFile(repository, entry.path, at: store.commit)
    do {
      try await fetch(
        draft.missing(inPiecesOf: connection.configuration.pieceLength), of: remote, into: draft)
    } catch let error as HubError where error.kind == .rangesIgnored {
      connection.observe(.advanced(.download, name, bytes: -draft.received))
      try draft.restart()
      try await fetch([0..<entry.size], of: remote, into: draft)
    }
  }

  private func fetch(
    _ pieces: [Range<Int>], of remote: RemoteFile, into draft: PartialFile
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for piece in pieces {
        group.addTask {
          try await connection.permits.withPermit {
            try await fetch(piece, of: remote, into: draft)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func fetch(
    _ piece: Range<Int>, of remote: RemoteFile, into draft: PartialFile
  ) async throws {
    let noted = Mutex((start: piece.lowerBound, end: piece.lowerBound))
    @Sendable func note(atLeast length: Int) throws {
      let range = noted.withLock { noted -> Range<Int>? in
        guard noted.end - noted.start >= length else { return nil }
        defer { noted.start = noted.end }
        return noted.start..<noted.end
      }
      if let range { try draft.record(range) }
    }
    do {
      try await remote.read(piece) { bytes, offset in
        try draft.write(bytes, at: offset)
        noted.withLock { $0.end = offset + bytes.count }
        // A killed process loses at most this much of a piece.
        try note(atLeast: 4 << 20)
        connection.observe(.advanced(.download, name, bytes: bytes.count))
      }
    } catch {
      try note(atLeast: 1)
      throw error
    }
    try note(atLeast: 1)
  }

  // MARK: Verifying

  /// The digest that the draft has in place of the expected one; nil if it is as it should be.
  private func mismatch(_ draft: PartialFile) async throws -> String? {
    guard let expected = entry.digest else { return nil }
    let actual = try await BlockingWork.run { cancellation in
      try Digest.ofFile(draft.path, expected.hasher(size: entry.size)) { count in
        try cancellation.check()
        connection.observe(.hashed(name, bytes: count))
      }
    }
    return actual == expected ? nil : actual.hex
  }
}
