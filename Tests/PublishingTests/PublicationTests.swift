// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Publishing
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct PublicationTests {
  @Test func `a push tells what it sent, and the second one that there was nothing to do`()
    async throws
  {
    try await PublicationScene.with { scene in
      let first = try await scene.publication { $0.verifies = true }.push(scene.model)
      #expect(first.isNewRepository)
      #expect(first.isVerified)
      #expect(first.upload.commits == [first.upload.commit])
      let small = scene.expected.keys.filter { !$0.hasSuffix("s") && !$0.hasSuffix("bin") }
        .reduce(0) { $0 + (PublicationScene.contents[$1]?.count ?? 0) }
      #expect(first.upload.bytesSent == PublicationScene.largeBytes + small)
      #expect(first.upload.bytesReused == 0)
      #expect(first.phases.map(\.phase) == ["check", "digest", "upload", "commit", "verify"])

      let second = try await scene.publication().push(scene.model)
      #expect(!second.isNewRepository && !second.upload.isNewCommit)
      #expect(second.upload.commit == first.upload.commit)
      #expect(second.upload.bytesSent == 0)
      #expect(second.upload.bytesReused == first.upload.bytesSent)
    }
  }

  @Test func `a branch is made when its first commit is`() async throws {
    try await PublicationScene.with { scene in
      let branch = try #require(Revision("experiment"))
      _ = try await scene.publication { $0.target = .branch(branch) }.push(scene.model)
      #expect(try await scene.published(branch) == scene.expected)
      #expect(try await scene.published() == [:])
      let again = try await scene.publication { $0.target = .branch(branch) }.push(scene.model)
      #expect(!again.upload.isNewCommit)
    }
  }

  @Test func `a tag names the commit, and one that names another stops the push at once`()
    async throws
  {
    try await PublicationScene.with { scene in
      let tag = try #require(Revision("v1"))
      let first = try await scene.publication { $0.tag = tag }.push(scene.model)
      #expect(try await scene.repository().refs().tags.map(\.commit) == [first.upload.commit])
      // The same again is the same.
      #expect(try await scene.publication { $0.tag = tag }.push(scene.model).tag == tag)
      try scene.write(Array(repeating: 8, count: 1000), to: "small.bin")
      await #expect(throws: PublicationError.self) {
        try await scene.publication { $0.tag = tag }.push(scene.model)
      }
      let missing = try await scene.publication().rehearse(scene.model).bytesToSend
      #expect(missing == 1000)
    }
  }

  @Test func `a pull request is opened once, however often the push is broken off`() async throws {
    try await PublicationScene.with { scene in
      try await scene.repository().client.createRepository(scene.repository().id)
      for _ in 0..<2 {
        scene.faults.add(.init(.status(403), method: "POST", path: "/commit/refs"))
        await #expect(throws: HubError.self) {
          try await scene.publication { $0.target = .pullRequest }.push(scene.model)
        }
        scene.faults.removeAll()
      }
      let result = try await scene.publication { $0.target = .pullRequest }.push(scene.model)
      #expect(result.pullRequest?.number == 1)
      #expect(try await scene.published(.pullRequest(1)) == scene.expected)
      #expect(try await scene.published() == [:])
      #expect(try await scene.repository().refs().pullRequests.count == 1)
      #expect(result.upload.bytesSent < 1000)
    }
  }

  @Test func `a pull request that would change nothing is not opened`() async throws {
    try await PublicationScene.with { scene in
      _ = try await scene.publication().push(scene.model)
      let result = try await scene.publication { $0.target = .pullRequest }.push(scene.model)
      #expect(result.pullRequest == nil)
      #expect(try await scene.repository().refs().pullRequests.isEmpty)
    }
  }

  @Test func `what was to be private is not put where everybody sees it`() async throws {
    try await PublicationScene.with { scene in
      let id = try scene.repository().id
      try await scene.repository().client.createRepository(id, visibility: .public)
      await #expect(throws: PublicationError.self) {
        try await scene.publication { $0.visibility = .private }.push(scene.model)
      }
      #expect(try await scene.published() == [:])
    }
  }

  @Test func `a repository that must be new is not taken if it exists`() async throws {
    try await PublicationScene.with { scene in
      _ = try await scene.publication { $0.acceptsExisting = false }.push(scene.model)
      let error = await #expect(throws: HubError.self) {
        try await scene.publication { $0.acceptsExisting = false }.push(scene.model)
      }
      #expect(error?.kind == .repositoryExists)
    }
  }

  @Test func `an old parent stops the push before anything is sent`() async throws {
    try await PublicationScene.with { scene in
      let first = try await scene.publication().push(scene.model)
      let parent = first.upload.commit
      try scene.write([1, 2, 3], to: "config.json")
      _ = try await scene.publication { $0.parent = parent }.push(scene.model)
      try scene.write(Array(repeating: 9, count: 1000), to: "small.bin")
      let error = await #expect(throws: HubError.self) {
        try await scene.publication { $0.parent = parent }.push(scene.model)
      }
      #expect(error?.kind == .staleParent)
      #expect(error?.exchange?.message?.hasSuffix(": Add") == true)
      #expect(try await scene.publication().rehearse(scene.model).bytesToSend == 1000)
    }
  }

  @Test func `the broken card of a repository that does not exist leaves none`() async throws {
    try await PublicationScene.with { scene in
      try scene.write(Array("---\nlicense: [\n---\n".utf8), to: "README.md")
      await #expect(throws: HubError.self) { try await scene.publication().push(scene.model) }
      let error = await #expect(throws: HubError.self) { try await scene.repository().info() }
      #expect(error?.kind == .repositoryNotFoundOrPrivate)
    }
  }

  @Test func `a rehearsal tells all that a push would do, and does nothing`() async throws {
    try await PublicationScene.with { scene in
      let all = PublicationScene.contents.values.reduce(0) { $0 + $1.count }
      let before = try await scene.publication().rehearse(scene.model)
      #expect(before.isNewRepository)
      #expect((before.bytesToSend, before.bytes) == (all, all))
      let error = await #expect(throws: HubError.self) { try await scene.repository().info() }
      #expect(error?.kind == .repositoryNotFoundOrPrivate)

      let pushed = try await scene.publication().push(scene.model)
      try scene.write([4, 5], to: "more.bin")
      try FileSystem.remove(scene.model.appending("small.bin"))
      let after = try await scene.publication { $0.deleting = [GlobPattern("*.bin")] }
        .rehearse(scene.model)
      #expect(!after.isNewRepository)
      #expect(after.changed == ["more.bin"])
      #expect(after.deleted == ["small.bin"])
      #expect(after.bytesToSend == 2)
      #expect(try await scene.repository().info().commit == pushed.upload.commit)
    }
  }

  @Test func `a token that may only read is found out without a push`() async throws {
    let reader = AccessToken(user: "demo", text: "hf_reader", role: .read)
    try await PublicationScene.with(tokens: [reader]) { scene in
      let publication = Publication(
        to: try scene.repository(token: "hf_reader"),
        Publication.Terms(message: CommitMessage("Add")), state: scene.state)
      await #expect(throws: PublicationError.self) { try await publication.rehearse(scene.model) }
    }
  }
}
