// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What an upload came to.
package struct UploadResult: Sendable {
  /// The new commit, or the head if there was nothing to change.
  package let commit: CommitID
  /// Whether a commit was made.
  package let isNewCommit: Bool
  /// The commit's page as the server gave it.
  package let url: String?
  /// Files that the commit adds or changes.
  package let changed: [String]
  /// Files that the revision held already.
  package let unchanged: [String]
  /// Files that the repository's `.gitignore` names.
  package let ignored: [String]
  package let deleted: [String]
  /// Bytes of contents sent; what the store had is not among them.
  package let bytesSent: Int
}

extension Repository {
  /// Uploads files in one commit; makes none if the revision holds them all.
  ///
  /// The card, if it is among them, is checked before anything is sent.
  ///
  /// - Parameters:
  ///   - parent: If given, the commit that must be the head; otherwise `staleParent` is thrown.
  ///   - deleting: Patterns of files to delete from the repository unless they are uploaded.
  /// - Throws: `HubError`, `StorageError`, `CancellationError`. The repository has not changed then.
  package func upload(
    _ files: [UploadFile], to revision: Revision = .main, message: CommitMessage,
    parent: CommitID? = nil, deleting: [GlobPattern] = []
  ) async throws -> UploadResult {
    guard !files.isEmpty || !deleting.isEmpty else {
      throw HubError(.nothingToUpload, repository: id)
    }
    try await checkCard(in: files)
    let staging = try await stage(files, at: revision)
    return try await commit(
      staging, to: revision, message: message, parent: parent, deleting: deleting)
  }

  /// Commits what has been staged; makes no commit if nothing would change.
  package func commit(
    _ staging: Staging, to revision: Revision = .main, message: CommitMessage,
    parent: CommitID? = nil, deleting: [GlobPattern] = []
  ) async throws -> UploadResult {
    let staged = staging.changed.map(\.path) + staging.unchanged
    let deleted = try await present(at: revision, matching: deleting, except: staged)
    var made: CommitResult?
    var bytesSent = staging.bytesSent
    if !staging.changed.isEmpty || !deleted.isEmpty {
      for case .regular(let file, _) in staging.changed.map(\.content) {
        try file.checkUnchanged()
        bytesSent += file.size
      }
      made = try await Commit(
        repository: self, revision: revision, message: message, parent: parent,
        operations: deleted.map { .delete(path: $0) } + staging.changed.map { .add($0) }
      ).run()
    }
    let head = if let made { made.commit } else { try await info(revision).commit }
    return UploadResult(
      commit: head, isNewCommit: made != nil, url: made?.url,
      changed: staging.changed.map(\.path), unchanged: staging.unchanged,
      ignored: staging.ignored, deleted: deleted, bytesSent: bytesSent)
  }

  /// Has the Hub read the card before hours are spent on the weights.
  package func checkCard(in files: [UploadFile]) async throws {
    guard let card = files.first(where: { $0.path == "README.md" }) else { return }
    let text = String(decoding: try card.bytes(0..<card.size), as: UTF8.self)
    let validation = try await client.validateCard(text, kind: id.kind)
    for warning in validation.warnings { connection.observe(.warning(warning)) }
  }

  /// The files of a revision that a pattern names, `.gitattributes` never among them.
  private func present(
    at revision: Revision, matching patterns: [GlobPattern], except kept: [String]
  ) async throws -> [String] {
    guard !patterns.isEmpty else { return [] }
    let kept = Set(kept + [".gitattributes"])
    return try await tree(info(revision).commit).files.map(\.path).filter { path in
      !kept.contains(path) && patterns.contains { $0.matches(path) }
    }
  }
}
