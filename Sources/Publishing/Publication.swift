// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub
internal import Storage
package import SystemPackage

/// Putting files on a hub: the repository, the files, one commit.
package struct Publication: Sendable {
  /// What is committed to.
  package enum Target: Hashable, Sendable {
    /// A branch; made from `main` if there is none of the name.
    case branch(Revision)
    /// A pull request to `main`, which is opened when everything is there.
    case pullRequest
  }

  /// How it is to be published.
  package struct Terms: Sendable {
    /// Of a repository that has to be made; nil for what its owner has set as default.
    package var visibility: Visibility?
    /// Whether a repository that is there already is as good as a new one.
    package var acceptsExisting = true
    package var target = Target.branch(.main)
    package var message: CommitMessage
    /// The commit that must be the newest; nil for any.
    package var parent: CommitID?
    /// Patterns of files to delete unless they are among those that are published.
    package var deleting: [GlobPattern] = []
    /// A tag to make of the commit.
    package var tag: Revision?
    /// Whether the commit is read again and compared.
    package var verifies = false

    package init(message: CommitMessage) { self.message = message }
  }

  package struct Result: Sendable {
    package let upload: UploadResult
    package let isNewRepository: Bool
    package let pullRequest: PullRequest?
    package let tag: Revision?
    package let isVerified: Bool
    package let phases: [PhaseTime]
  }

  package let repository: Repository
  package let terms: Terms
  /// Where digests and unfinished business are kept from run to run.
  package let state: FilePath

  package init(to repository: Repository, _ terms: Terms, state: FilePath) {
    self.repository = repository
    self.terms = terms
    self.state = state
  }

  /// Creates the repository unless it exists and uploads what it does not have.
  package func push(_ folder: FilePath, _ selection: FileSelection = .everything) async throws
    -> Result
  {
    let clock = PhaseClock()
    let files = try files(in: folder, selection)
    let ground = try await clock.measure("check") {
      try await repository.checkCard(in: files)
      return try await prepare()
    }
    let examined = try await clock.measure("digest") {
      try await examine(files, in: folder, on: ground)
    }
    let staging = try await clock.measure("upload") {
      try await repository.send(examined, at: ground.base)
    }
    return try await conclude(staging, on: ground, clock)
  }

  /// The files of a folder that are to be published.
  func files(in folder: FilePath, _ selection: FileSelection) throws -> [UploadFile] {
    let files = try UploadFile.files(in: folder, selection)
    guard !files.isEmpty || !terms.deleting.isEmpty else {
      throw HubError(.nothingToUpload, repository: repository.id)
    }
    return files
  }

  func examine(_ files: [UploadFile], in folder: FilePath, on ground: Ground) async throws
    -> Staging
  {
    let journal = try? DigestJournal(of: folder, in: state.appending("digests"))
    let staging = try await repository.examine(
      files, at: ground.base, proposing: terms.target == .pullRequest, journal: journal)
    try await check(staging, on: ground)
    return staging
  }

  // MARK: Before

  /// What there is to publish on.
  struct Ground: Sendable {
    var isNewRepository = false
    /// The revision that files are compared with.
    var base = Revision.main
    /// Whether the branch to commit to has to be made.
    var isNewBranch = false
    /// What the tag is on already.
    var tagged: CommitID?
  }

  /// Makes sure that there is a repository and that it is one to publish to.
  func prepare() async throws -> Ground {
    let isNew = try await repository.client.createRepository(
      repository.id, visibility: terms.visibility, existOK: terms.acceptsExisting)
    var ground = try await ground()
    ground.isNewRepository = isNew
    return ground
  }

  /// Looks at a repository that exists.
  func ground() async throws -> Ground {
    var ground = Ground()
    let info = try await repository.info()
    if terms.visibility == .private, !info.isPrivate {
      throw PublicationError.isPublic(repository.id)
    }
    if case .branch(let branch) = terms.target, branch != .main {
      do {
        _ = try await repository.info(branch)
        ground.base = branch
      } catch let error as HubError where error.kind == .revisionNotFound {
        ground.isNewBranch = true
      }
    }
    if let tag = terms.tag {
      ground.tagged = try await repository.refs().tags.first { $0.name == tag.text }?.commit
    }
    return ground
  }

  /// Finds before anything is sent that the result could not be published as it was asked for.
  func check(_ staging: Staging, on ground: Ground) async throws {
    try await repository.checkParent(terms.parent, of: staging, at: ground.base)
    if let tag = terms.tag, let tagged = ground.tagged,
      tagged != staging.head || !staging.changed.isEmpty
    {
      throw PublicationError.tagTaken(tag, repository.id, commit: tagged)
    }
  }

  // MARK: After

  /// Makes the commit, and what goes with it, of files whose contents are on the hub.
  func conclude(_ staging: Staging, on ground: Ground, _ clock: PhaseClock) async throws -> Result {
    var proposal: Proposal?
    let upload = try await clock.measure("commit") {
      var target = ground.base
      switch terms.target {
      case .branch(let branch):
        if ground.isNewBranch {
          try await repository.createBranch(branch, from: staging.head.revision, existOK: true)
        }
        target = branch
      case .pullRequest:
        let doomed = try await repository.deletions(
          at: staging.head, matching: terms.deleting, except: staging)
        if !staging.changed.isEmpty || !doomed.isEmpty {
          proposal = try await Proposal.open(for: terms.message, on: repository, in: state)
        }
        target = proposal?.request.revision ?? .main
      }
      return try await repository.commit(
        staging, to: target, message: terms.message, parent: terms.parent,
        deleting: terms.deleting)
    }
    try await proposal?.close(on: repository)
    if let tag = terms.tag, ground.tagged == nil {
      try await repository.createTag(tag, at: upload.commit.revision)
    }
    if terms.verifies {
      try await clock.measure("verify") { try await verify(upload, staging) }
    }
    return Result(
      upload: upload, isNewRepository: ground.isNewRepository, pullRequest: proposal?.request,
      tag: terms.tag, isVerified: terms.verifies, phases: clock.phases)
  }

  private func verify(_ upload: UploadResult, _ staging: Staging) async throws {
    let wrong = try await repository.differences(
      from: staging, deleted: upload.deleted, at: upload.commit)
    guard wrong.isEmpty else {
      throw PublicationError.notAsPublished(repository.id, commit: upload.commit, paths: wrong)
    }
  }
}
