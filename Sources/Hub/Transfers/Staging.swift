// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// A file whose content the Hub can be told by its digest.
package struct StagedFile: Sendable {
  package enum Content: Sendable {
    /// Kept in the store of large files; the source is nil if this machine does not have it any more.
    case large(LFSPointer, source: UploadFile?)
    /// Sent inside the commit; `digest` is git's SHA-1 of it.
    case regular(UploadFile, digest: Digest)
  }

  package let path: String
  package var content: Content
  /// The content that the revision has at this path, by its etag; nil if there is none.
  package var present: String?

  package init(path: String, content: Content, present: String? = nil) {
    self.path = path
    self.content = content
    self.present = present
  }

  /// What the Hub knows the content by.
  package var digest: Digest {
    switch content {
    case .large(let pointer, _): pointer.digest
    case .regular(_, let digest): digest
    }
  }

  package var size: Int {
    switch content {
    case .large(let pointer, _): pointer.size
    case .regular(let file, _): file.size
    }
  }

  package var isUnchanged: Bool { present == digest.hex }
}

/// Files that are to become a commit, compared with what a revision holds.
package struct Staging: Sendable {
  /// The commit that the files were compared with.
  package private(set) var head: CommitID
  package private(set) var files: [StagedFile]
  /// Files that the repository's `.gitignore` names.
  package private(set) var ignored: [String]
  /// Bytes of large files sent.
  package var bytesSent = 0
  /// Bytes of large files that the store had, though the revision did not name them.
  package var bytesReused = 0

  package init(head: CommitID, files: [StagedFile], ignored: [String] = []) {
    self.head = head
    self.files = files
    self.ignored = ignored
  }

  /// What a commit has to name.
  package var changed: [StagedFile] { files.filter { !$0.isUnchanged } }
  /// Files that the revision holds already.
  package var unchanged: [String] { files.filter(\.isUnchanged).map(\.path) }

  /// Adds what another call has staged for the same commit. The head stays the first one: if the branch has
  /// moved since, the commit is refused and everything compared anew.
  package mutating func add(_ other: Staging) {
    files += other.files
    ignored += other.ignored
    bytesSent += other.bytesSent
    bytesReused += other.bytesReused
  }

  /// Forgets where large files are on this machine: they may be removed.
  package mutating func forgetSources() {
    for index in files.indices {
      if case .large(let pointer, _) = files[index].content {
        files[index].content = .large(pointer, source: nil)
      }
    }
  }

  /// The same files compared with another commit.
  func compared(with tree: Tree) -> Staging {
    let present = tree.etags
    var staging = self
    staging.head = tree.commit
    for index in files.indices { staging.files[index].present = present[files[index].path] }
    return staging
  }
}

extension Tree {
  /// What each path holds.
  var etags: [String: String] {
    Dictionary(files.map { ($0.path, $0.etag) }, uniquingKeysWith: { first, _ in first })
  }
}

extension Repository {
  /// Finds out how the Hub keeps files, computes their digests and compares them with what a revision holds.
  /// Nothing is sent.
  ///
  /// - Parameters:
  ///   - proposing: Whether they are for a pull request, which those may open who may not write.
  ///   - journal: Digests from earlier runs; gets the new ones.
  package func examine(
    _ files: [UploadFile], at revision: Revision = .main, proposing: Bool = false,
    journal: DigestJournal? = nil
  ) async throws -> Staging {
    // Before the files are compared: if somebody commits in between, ours is refused and looks again.
    let head = try await info(revision).commit
    let modes = try await uploadModes(for: files, at: revision, proposing: proposing)
    let kept = files.filter { modes[$0.path]?.isIgnored != true }
    let digests = try await digests(of: kept, journal: journal) { file in
      // The store takes no empty objects.
      modes[file.path]?.storage == .lfs && file.size > 0 ? .sha256 : .sha1
    }
    let staged = zip(kept, digests).map { file, digest in
      StagedFile(
        path: file.path,
        content: digest.algorithm == .sha256
          ? .large(LFSPointer(digest: digest, size: file.size), source: file)
          : .regular(file, digest: digest),
        present: modes[file.path]?.presentID)
    }
    return Staging(
      head: head, files: staged,
      ignored: files.map(\.path).filter { modes[$0]?.isIgnored == true })
  }

  /// Makes files ready for a commit: examines them, and brings the large ones into the store.
  ///
  /// The Hub drops objects that no commit names after about a day.
  package func stage(
    _ files: [UploadFile], at revision: Revision = .main, journal: DigestJournal? = nil
  ) async throws -> Staging {
    try await send(examine(files, at: revision, journal: journal), at: revision)
  }

  /// Brings the large files that the revision does not have into the store.
  package func send(_ staging: Staging, at revision: Revision = .main) async throws -> Staging {
    try await send(staging, only: nil, at: revision)
  }

  /// Sends large files again that the store has lost.
  ///
  /// - Throws: `HubError` of kind `objectsMissing` with those that this machine does not have any more.
  func resend(_ lost: [Digest], of staging: Staging, at revision: Revision) async throws
    -> Staging
  {
    let gone = staging.files.filter { file in
      guard case .large(let pointer, nil) = file.content else { return false }
      return lost.contains(pointer.digest)
    }
    guard gone.isEmpty else {
      throw HubError(.objectsMissing(gone.map(\.digest)), repository: id)
    }
    return try await send(staging, only: Set(lost), at: revision)
  }

  private func send(
    _ staging: Staging, only wanted: Set<Digest>?, at revision: Revision
  ) async throws -> Staging {
    var staging = staging
    // One content at two paths is one object.
    var seen: Set<Digest> = []
    var uploads: [LFSUpload] = []
    for file in staging.files where wanted?.contains(file.digest) ?? !file.isUnchanged {
      guard case .large(let pointer, let source?) = file.content,
        seen.insert(pointer.digest).inserted
      else { continue }
      uploads.append(
        LFSUpload(repository: self, revision: revision, file: source, pointer: pointer))
    }
    connection.observe(
      .planned(
        .upload, id, files: uploads.count, bytes: uploads.reduce(0) { $0 + $1.pointer.size }))
    for start in stride(from: 0, to: uploads.count, by: Self.lfsGroupSize) {
      let group = Array(uploads[start..<min(start + Self.lfsGroupSize, uploads.count)])
      let actions = try await lfsActions(for: group.map(\.pointer), at: revision)
      try await connection.inParallel(group) { upload in
        if let todo = actions[upload.pointer.digest] { try await upload.run(todo) }
      }
    }
    for upload in uploads {
      staging.bytesSent += upload.bytesSent
      if upload.bytesSent == 0 { staging.bytesReused += upload.pointer.size }
    }
    return staging
  }

  /// The large files of a staging that the store does not have; nothing is sent, nothing begun.
  package func missingObjects(of staging: Staging, at revision: Revision = .main) async throws
    -> Set<Digest>
  {
    var seen: Set<Digest> = []
    let pointers = staging.changed.compactMap { file -> LFSPointer? in
      guard case .large(let pointer, _) = file.content, seen.insert(pointer.digest).inserted else {
        return nil
      }
      return pointer
    }
    return try await missingObjects(pointers, at: revision)
  }

  /// Those of `pointers`, each digest once, that the store does not have.
  package func missingObjects(_ pointers: [LFSPointer], at revision: Revision = .main)
    async throws -> Set<Digest>
  {
    var missing: Set<Digest> = []
    for start in stride(from: 0, to: pointers.count, by: Self.lfsGroupSize) {
      let group = Array(pointers[start..<min(start + Self.lfsGroupSize, pointers.count)])
      // Offered parts, the store would begin an upload for each object.
      let actions = try await lfsActions(for: group, at: revision, transfers: ["basic"])
      missing.formUnion(actions.filter { $0.value.upload != nil }.keys)
    }
    return missing
  }

  /// Compares large files that are not on this machine any more with what a revision holds.
  ///
  /// - Returns: Those that the store has, and the digests of those that it has lost.
  package func compare(
    _ objects: [(path: String, pointer: LFSPointer)], at revision: Revision = .main
  ) async throws -> (Staging, lost: Set<Digest>) {
    let tree = try await tree(info(revision).commit)
    var seen: Set<Digest> = []
    let pointers = objects.map(\.pointer).filter { seen.insert($0.digest).inserted }
    let lost = try await missingObjects(pointers, at: revision)
    let kept = objects.filter { !lost.contains($0.pointer.digest) }.map {
      StagedFile(path: $0.path, content: .large($0.pointer, source: nil))
    }
    return (Staging(head: tree.commit, files: kept).compared(with: tree), lost)
  }

  /// The files whose content at a commit is not what was staged, and deleted ones that are there.
  package func differences(
    from staging: Staging, deleted: [String] = [], at commit: CommitID
  ) async throws -> [String] {
    let present = try await tree(commit).etags
    let wrong = staging.files.filter { present[$0.path] != $0.digest.hex }.map(\.path)
    return wrong + deleted.filter { present[$0] != nil }
  }
}

extension HubConnection {
  /// Calls `body` for each of `items`, a few at a time: half as many as there may be requests, so that the
  /// parts of large ones find a connection before their addresses expire.
  func inParallel<Item: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var waiting = items.makeIterator()
      for _ in 0..<max(1, configuration.connections / 2) {
        guard let item = waiting.next() else { break }
        group.addTask { try await body(item) }
      }
      while try await group.next() != nil {
        guard let item = waiting.next() else { continue }
        group.addTask { try await body(item) }
      }
    }
  }
}
