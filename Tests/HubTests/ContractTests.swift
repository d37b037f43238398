// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import LocalHub
import Storage
import SystemPackage
import Testing

/// The client against the embedded hub: two readings of one protocol.
@Suite struct ContractTests {
  private let folder: TemporaryFolder
  private let events = EventLog()

  init() throws { folder = try TemporaryFolder() }

  private var cache: HubCache { HubCache(folder.path.appending("cache")) }

  /// Runs `body` with a hub in a folder of its own.
  private func withHub(
    tokens: [AccessToken] = [], faults: [Faults.Rule] = [], partSize: Int? = nil,
    pageSize: Int = 1000, _ body: (HubServer, String) async throws -> Void
  ) async throws {
    var configuration = HubServer.Configuration(root: folder.path.appending("hub"))
    configuration.tokens = tokens
    configuration.faults = Faults(faults)
    configuration.pageSize = pageSize
    if let partSize {
      configuration.multipartThreshold = partSize
      configuration.partSize = partSize
    }
    let server = HubServer(configuration)
    let origin = try await server.start()
    do {
      try await body(server, origin)
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  private func client(_ origin: String, token: String? = nil) -> HubClient {
    HubClient(.testing(origin, token: token)) { [events] in events.add($0) }
  }

  private var contents: [String: [UInt8]] { Self.contents }

  private static let contents: [String: [UInt8]] = [
    "README.md": Array("---\nlicense: apache-2.0\n---\n# One\n".utf8),
    "config.json": Array(#"{"model_type":"llama"}"#.utf8), "sub/empty.txt": [],
    "model.safetensors": noise(200_000),
  ]

  private func files(_ contents: [String: [UInt8]]) throws -> [UploadFile] {
    try contents.sorted { $0.key < $1.key }.map { try UploadFile($0.key, .bytes($0.value)) }
  }

  /// The files of a snapshot but for the one that hubs add.
  private func read(_ snapshot: Snapshot) throws -> [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: try snapshot.files.filter { $0.path != ".gitattributes" }
        .map { ($0.path, try FileSystem.read($0.place)) })
  }

  private func publish(_ client: HubClient) async throws -> (Repository, UploadResult) {
    let repository = try client.model("acme/one")
    try await client.createRepository(repository.id)
    return (
      repository, try await repository.upload(files(contents), message: CommitMessage("Add"))
    )
  }

  // MARK: There and back

  @Test(arguments: [nil, 30_000])
  func `what is pushed comes back the same, whole or in parts`(_ partSize: Int?) async throws {
    try await withHub(partSize: partSize) { _, origin in
      let (repository, result) = try await publish(client(origin))
      #expect(result.isNewCommit)
      let snapshot = try await repository.fetch(into: .cache(cache))
      #expect(snapshot.commit == result.commit)
      #expect(try read(snapshot) == contents)
      let commits = try await repository.commits()
      #expect(commits.first?.id == result.commit)
      #expect(commits.first?.title == "Add")
    }
  }

  @Test func `pushing the same again makes no commit`() async throws {
    try await withHub { _, origin in
      let (repository, first) = try await publish(client(origin))
      let again = try await repository.upload(files(contents), message: CommitMessage("Again"))
      #expect(!again.isNewCommit)
      #expect(again.commit == first.commit)
      #expect(again.unchanged.count == contents.count)
      #expect(again.bytesSent == 0)
    }
  }

  @Test func `a listing comes in pages`() async throws {
    try await withHub(pageSize: 3) { _, origin in
      let client = client(origin)
      let repository = try client.model("acme/many")
      try await client.createRepository(repository.id)
      let many = Dictionary(uniqueKeysWithValues: (0..<10).map { ("f\($0).txt", [UInt8($0)]) })
      _ = try await repository.upload(files(many), message: CommitMessage("Add"))
      #expect(try read(try await repository.fetch(into: .cache(cache))) == many)
    }
  }

  @Test func `files are replaced and deleted by one commit`() async throws {
    try await withHub { _, origin in
      let (repository, _) = try await publish(client(origin))
      let result = try await repository.upload(
        files(["model.safetensors": noise(500, seed: 9)]), message: CommitMessage("Shrink"),
        deleting: [GlobPattern("sub/*"), GlobPattern("*.safetensors")])
      #expect(result.deleted == ["sub/empty.txt"])
      let snapshot = try await repository.fetch(into: .cache(cache))
      #expect(Set(try read(snapshot).keys) == ["README.md", "config.json", "model.safetensors"])
    }
  }

  @Test func `branches, tags and pull requests are made and committed to`() async throws {
    try await withHub { _, origin in
      let (repository, first) = try await publish(client(origin))
      let branch = try #require(Revision("experiment"))
      #expect(try await repository.createBranch(branch, from: first.commit.revision))
      #expect(try await repository.createBranch(branch, existOK: true) == false)
      #expect(try await repository.createTag(try #require(Revision("v1")), at: .main))
      let change = try files(["note.txt": [1]])
      let onBranch = try await repository.upload(change, to: branch, message: CommitMessage("b"))
      #expect(try await repository.info(branch).commit == onBranch.commit)
      #expect(try await repository.info().commit == first.commit)

      let request = try await repository.createPullRequest(title: "Add a note")
      let inRequest = try await repository.upload(
        change, to: request.revision, message: CommitMessage("p"))
      #expect(try await repository.info(request.revision).commit == inRequest.commit)
      let refs = try await repository.refs()
      #expect(Set(refs.branches.map(\.name)) == ["main", "experiment"])
      #expect(refs.tags.map(\.name) == ["v1"])
    }
  }

  @Test func `bytes are read from the middle of a large file`() async throws {
    try await withHub { _, origin in
      let (repository, result) = try await publish(client(origin))
      let bytes = try await repository.bytes(
        of: "model.safetensors", 1000..<2000, at: result.commit)
      #expect(bytes == Array(contents["model.safetensors"]![1000..<2000]))
    }
  }

  // MARK: Faults

  @Test(arguments: [
    Faults.Action.truncate(after: 1000), .reset(after: 1000), .wrongBytes, .ignoreRange,
    .expiredLink, .status(503), .wrongLength(excess: 10),
  ])
  func `a download survives`(_ action: Faults.Action) async throws {
    let rule = Faults.Rule(action, method: "GET", path: "/objects/", times: 2)
    try await withHub(faults: [rule]) { _, origin in
      let (repository, _) = try await publish(client(origin))
      #expect(try read(try await repository.fetch(into: .cache(cache))) == contents)
    }
  }

  @Test(arguments: [Faults.Action.status(503), .expiredLink, .reset(after: 0)])
  func `an upload survives`(_ action: Faults.Action) async throws {
    let rule = Faults.Rule(action, method: "PUT", times: 2)
    try await withHub(faults: [rule], partSize: 30_000) { _, origin in
      let (repository, _) = try await publish(client(origin))
      #expect(try read(try await repository.fetch(into: .cache(cache))) == contents)
    }
  }

  // MARK: Refusals

  private func failure(_ body: () async throws -> some Any) async -> HubError.Kind? {
    let error = await #expect(throws: HubError.self) { _ = try await body() }
    return error?.kind
  }

  @Test func `a private repository is not there for those without a token`() async throws {
    let owner = AccessToken(user: "acme", text: "hf_owner", role: .write)
    try await withHub(tokens: [owner]) { _, origin in
      let own = client(origin, token: "hf_owner")
      #expect(try await own.whoAmI().name == "acme")
      let id = try RepoID("acme/hidden")
      #expect(try await own.createRepository(id, visibility: .private))
      #expect(try await own.createRepository(id) == false)
      #expect(try await own.repository(id).info().isPrivate)
      let stranger = client(origin)
      #expect(
        await failure { try await stranger.repository(id).info() } == .repositoryNotFoundOrPrivate)
      #expect(await failure { try await stranger.whoAmI() } == .unauthorized)
      #expect(
        await failure { try await client(origin, token: "hf_wrong").repository(id).info() }
          == .invalidToken)
    }
  }

  @Test func `what does not exist is named`() async throws {
    try await withHub { _, origin in
      let (repository, result) = try await publish(client(origin))
      let none = try #require(Revision("none"))
      #expect(await failure { try await repository.info(none) } == .revisionNotFound)
      #expect(
        await failure { try await repository.bytes(of: "no.txt", 0..<1, at: result.commit) }
          == .entryNotFound)
      #expect(
        await failure { try await client(origin).model("acme/none").info() }
          == .repositoryNotFoundOrPrivate)
      #expect(
        await failure {
          try await repository.bytes(of: "config.json", 1000..<1001, at: result.commit)
        }
          == .rangeNotSatisfiable)
    }
  }

  @Test func `a commit onto an old head is refused`() async throws {
    try await withHub { _, origin in
      let (repository, first) = try await publish(client(origin))
      let note = try files(["note.txt": [1]])
      _ = try await repository.upload(note, message: CommitMessage("a"), parent: first.commit)
      let kind = await failure {
        try await repository.upload(
          files(["note.txt": [2]]), message: CommitMessage("b"), parent: first.commit)
      }
      #expect(kind == .staleParent)
    }
  }

  @Test func `a broken card stops the upload before anything is sent`() async throws {
    try await withHub { _, origin in
      let client = client(origin)
      let repository = try client.model("acme/card")
      try await client.createRepository(repository.id)
      let head = try await repository.info().commit
      let broken = try files(["README.md": Array("---\nlicense: [\n---\n".utf8)])
      let kind = await failure {
        try await repository.upload(broken, message: CommitMessage("Add"))
      }
      guard case .cardRejected(let reasons) = kind else {
        Issue.record("\(String(describing: kind))")
        return
      }
      #expect(!reasons.isEmpty)
      #expect(try await repository.info().commit == head)
    }
  }

  @Test func `a deleted repository is gone`() async throws {
    try await withHub { _, origin in
      let (repository, _) = try await publish(client(origin))
      try await repository.delete()
      #expect(await failure { try await repository.info() } == .repositoryNotFoundOrPrivate)
    }
  }
}
