// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage

/// What an upload came to.
package struct UploadResult: Sendable {
  /// The new commit, or the head if there was nothing to change.
  package let commit: CommitID
  /// All commits made, the last one last; more than one only if there was too much for one.
  package let commits: [CommitID]
  /// The commit's page as the server gave it.
  package let url: String?
  /// Files that the commits add or change.
  package let changed: [String]
  /// Files that the revision held already.
  package let unchanged: [String]
  /// Files that the repository's `.gitignore` names.
  package let ignored: [String]
  package let deleted: [String]
  /// Bytes of contents sent; what the Hub had is not among them.
  package let bytesSent: Int
  /// Bytes of contents that the Hub had already, in this revision or elsewhere.
  package let bytesReused: Int

  /// Whether a commit was made.
  package var isNewCommit: Bool { !commits.isEmpty }
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
    let examined = try await examine(files, at: revision)
    try await checkParent(parent, of: examined, at: revision)
    let staging = try await send(examined, at: revision)
    return try await commit(
      staging, to: revision, message: message, parent: parent, deleting: deleting)
  }

  /// Has the Hub read the card before hours are spent on the weights.
  package func checkCard(in files: [UploadFile]) async throws {
    guard let card = files.first(where: { $0.path == "README.md" }) else { return }
    try await checkCard(String(decoding: try card.bytes(0..<card.size), as: UTF8.self))
  }

  /// Has the Hub read the text of a card; its warnings become events.
  package func checkCard(_ text: String) async throws {
    let validation = try await client.validateCard(text, kind: id.kind)
    for warning in validation.warnings { connection.observe(.warning(warning)) }
  }

  /// Finds before anything is sent that the revision has moved on from where it was to be.
  ///
  /// - Throws: `HubError` of kind `staleParent`, unless the revision holds all files already.
  package func checkParent(
    _ parent: CommitID?, of staging: Staging, at revision: Revision
  ) async throws {
    guard let parent, parent != staging.head, !staging.changed.isEmpty else { return }
    let newest = try? await commits(revision, limit: 1).first
    throw HubError(
      .staleParent, repository: id,
      exchange: HubError.Exchange(
        method: "GET", url: urls.commits(id, revision).description,
        message: "\(revision) is at \(staging.head)" + (newest.map { ": \($0.title)" } ?? "")))
  }

  /// Commits what has been staged; makes no commit if nothing would change.
  ///
  /// The commit is made on top of the one that the files were compared with. If somebody has committed meanwhile,
  /// they are compared with the new head, unless a parent is given. Objects that the Hub has lost are sent again
  /// once.
  ///
  /// - Parameter revision: A branch or pull request whose head is the one that was compared with.
  package func commit(
    _ staging: Staging, to revision: Revision = .main, message: CommitMessage,
    parent: CommitID? = nil, deleting: [GlobPattern] = []
  ) async throws -> UploadResult {
    var attempt = CommitAttempt(self, staging, revision, message, parent, deleting)
    var rereadings = 0
    var hasResent = false
    while true {
      do {
        return try await attempt.run()
      } catch let error as HubError {
        switch error.kind {
        case .staleParent where parent == nil && rereadings < 5:
          rereadings += 1
          try await attempt.reread()
        case .objectsMissing(let lost) where !hasResent:
          hasResent = true
          try await attempt.resend(lost)
        default: throw error
        }
      }
    }
  }

  /// The files of a revision that a pattern names, `.gitattributes` never among them.
  package func deletions(
    at commit: CommitID, matching patterns: [GlobPattern], except staging: Staging
  ) async throws -> [String] {
    guard !patterns.isEmpty else { return [] }
    let kept = Set(staging.files.map(\.path) + [".gitattributes"])
    return try await tree(commit).files.map(\.path).filter { path in
      !kept.contains(path) && patterns.contains { $0.matches(path) }
    }
  }
}

/// Committing what has been staged, in as many commits as it takes.
private struct CommitAttempt {
  private let repository: Repository
  private let revision: Revision
  private let message: CommitMessage
  private let deleting: [GlobPattern]
  private var staging: Staging
  /// What the next commit is made on top of.
  private var head: CommitID
  private var commits: [CommitID] = []
  private var url: String?
  /// What the commits made so far have changed.
  private var added: Set<String> = []
  private var deleted: [String] = []
  private var bytesSent = 0

  init(
    _ repository: Repository, _ staging: Staging, _ revision: Revision, _ message: CommitMessage,
    _ parent: CommitID?, _ deleting: [GlobPattern]
  ) {
    self.repository = repository
    self.staging = staging
    self.revision = revision
    self.message = message
    self.deleting = deleting
    head = parent ?? staging.head
  }

  /// Compares with what the revision is by now.
  mutating func reread() async throws {
    head = try await repository.info(revision).commit
    staging = staging.compared(with: try await repository.tree(head))
  }

  mutating func resend(_ lost: [Digest]) async throws {
    staging = try await repository.resend(lost, of: staging, at: revision)
    if !commits.isEmpty { try await reread() }
  }

  mutating func run() async throws -> UploadResult {
    let doomed = try await repository.deletions(
      at: staging.head, matching: deleting, except: staging)
    let series = CommitSeries(
      staging.changed, deleted: doomed,
      limits: repository.connection.configuration.commitLimits)
    for (number, operations) in zip(1..., series.parts) {
      try checkUnchanged(operations)
      var message = message
      if series.parts.count > 1 { message.title += " (part \(number) of \(series.parts.count))" }
      let made = try await Commit(
        repository: repository, revision: revision, message: message, parent: head,
        operations: operations
      ).run()
      head = made.commit
      commits.append(made.commit)
      url = made.url
      note(operations)
    }
    return result
  }

  private func checkUnchanged(_ operations: [CommitOperation]) throws {
    for case .add(let staged) in operations {
      if case .regular(let file, _) = staged.content { try file.checkUnchanged() }
    }
  }

  private mutating func note(_ operations: [CommitOperation]) {
    for operation in operations {
      switch operation {
      case .add(let staged):
        added.insert(staged.path)
        if case .regular(let file, _) = staged.content { bytesSent += file.size }
      case .delete(let path): deleted.append(path)
      }
    }
  }

  private var result: UploadResult {
    let kept = staging.files.filter { !added.contains($0.path) }
    return UploadResult(
      commit: commits.last ?? staging.head, commits: commits, url: url,
      changed: staging.files.map(\.path).filter(added.contains), unchanged: kept.map(\.path),
      ignored: staging.ignored, deleted: deleted, bytesSent: staging.bytesSent + bytesSent,
      bytesReused: staging.bytesReused + kept.reduce(0) { $0 + $1.size })
  }
}
