// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Publishing
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Commits that meet others, or a store that forgets.
@Suite struct CommitSafetyTests {
  private func staged(_ scene: PublicationScene) async throws -> (Repository, Staging) {
    let repository = try scene.repository()
    try await repository.client.createRepository(repository.id)
    return (repository, try await repository.stage(UploadFile.files(in: scene.model)))
  }

  @Test func `a commit that somebody else was faster than is made on top of theirs`() async throws {
    try await PublicationScene.with { scene in
      let (repository, staging) = try await staged(scene)
      let theirs = try await repository.upload(
        [
          UploadFile("other.txt", .bytes([1])),
          // The same as ours: there is nothing left to do for it.
          UploadFile("config.json", .file(scene.model.appending("config.json"))),
        ], message: CommitMessage("Theirs"))
      let ours = try await repository.commit(staging, message: CommitMessage("Ours"))
      #expect(ours.changed == ["README.md", "model.safetensors", "small.bin"])
      #expect(ours.unchanged == ["config.json"])
      let history = try await repository.commits()
      #expect(history.map(\.title) == ["Ours", "Theirs", "initial commit"])
      #expect(history[1].id == theirs.commit)
      #expect(try await scene.published().count == 5)
    }
  }

  @Test func `a file that the head held when it was looked at is put back if it changed since`()
    async throws
  {
    try await PublicationScene.with { scene in
      _ = try await scene.publication().push(scene.model)
      try scene.write([1], to: "README.md")
      let repository = try scene.repository()
      let staging = try await repository.stage(UploadFile.files(in: scene.model))
      #expect(staging.changed.map(\.path) == ["README.md"])
      _ = try await repository.upload(
        [UploadFile("small.bin", .bytes([1, 2]))], message: CommitMessage("Theirs"))
      let ours = try await repository.commit(staging, message: CommitMessage("Ours"))
      #expect(ours.changed == ["README.md", "small.bin"])
      #expect(try await scene.published()["small.bin"] == scene.expected["small.bin"])
    }
  }

  @Test func `objects that the store has lost are sent once more`() async throws {
    try await PublicationScene.with { scene in
      let (repository, staging) = try await staged(scene)
      try scene.lose("model.safetensors")
      let result = try await repository.commit(staging, message: CommitMessage("Add"))
      #expect(result.bytesSent > PublicationScene.largeBytes + 100_000)
      #expect(try await scene.published() == scene.expected)
    }
  }

  @Test func `a lost object that this machine has removed is named`() async throws {
    try await PublicationScene.with { scene in
      var (repository, staging) = try await staged(scene)
      staging.forgetSources()
      try scene.lose("model.safetensors")
      let digest = Digest.sha256(PublicationScene.contents["model.safetensors"] ?? [])
      let error = await #expect(throws: HubError.self) {
        try await repository.commit(staging, message: CommitMessage("Add"))
      }
      #expect(error?.kind == .objectsMissing([digest]))
      #expect(try await scene.published() == [:])
    }
  }

  @Test func `too much for one commit makes several, what the rest hangs on last`() async throws {
    try await PublicationScene.with { scene in
      for number in 0..<7 {
        try scene.write([UInt8(number)], to: "model-\(number).safetensors")
      }
      try scene.write(Array("{}".utf8), to: "model.safetensors.index.json")
      var configuration = HubConfiguration(
        endpoint: try #require(WebURL(scene.hub.url)), userAgent: "hubmerge/test")
      configuration.commitLimits.operations = 4
      let repository = try HubClient(configuration).model("demo/one")
      try await repository.client.createRepository(repository.id)
      _ = try await repository.upload(
        [UploadFile("old.bin", .bytes([1]))], message: CommitMessage("Old"))
      let result = try await repository.upload(
        UploadFile.files(in: scene.model), message: CommitMessage("Add"),
        deleting: [GlobPattern("old*")])
      #expect(result.commits.count == 4)
      #expect(result.changed.count == 12)
      let titles = try await repository.commits().map(\.title)
      #expect(titles.prefix(2) == ["Add (part 4 of 4)", "Add (part 3 of 4)"])
      let last = try await repository.tree(result.commits[2])
      let paths = Set(last.files.map(\.path))
      #expect(paths.isDisjoint(with: ["config.json", "README.md", "model.safetensors.index.json"]))
      #expect(paths.contains("model-6.safetensors") && paths.contains("old.bin"))
      #expect(try await scene.published()["old.bin"] == nil)
    }
  }
}
