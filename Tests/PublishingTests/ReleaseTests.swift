// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Weights

@Suite struct ReleaseTests {
  @Test func `a release publishes the model and leaves no work behind`() async throws {
    try await Workshop.with { workshop in
      let result = try await workshop.release().run()
      #expect(result.build != nil)
      #expect(result.publication.upload.isNewCommit)
      #expect(try FileSystem.names(in: workshop.workspace) == [])

      let back = try await workshop.client().model("demo/merged")
        .fetch(into: .folder(workshop.folder.appending("back"), cache: nil))
      #expect(back.commit == result.publication.upload.commit)
      let checkpoint = try Checkpoint(folder: back.folder)
      #expect(Set(checkpoint.names) == Set(ModelFixture().tensors.map(\.name)))
    }
  }

  @Test func `a release whose push failed goes on with the push`() async throws {
    try await Workshop.with { workshop in
      workshop.faults.add(
        .init(.status(403), method: "POST", path: "/api/models/demo/merged/commit"))
      await #expect(throws: HubError.self) { try await workshop.release().run() }
      #expect(workshop.faults.hits == 1)
      #expect(try FileSystem.names(in: workshop.workspace) == ["demo--merged"])
      let fetched = workshop.bytesFetched

      let result = try await workshop.release().run()
      #expect(result.build == nil)
      #expect(result.publication.upload.isNewCommit)
      #expect(workshop.bytesFetched == fetched)
      #expect(try FileSystem.names(in: workshop.workspace) == [])
    }
  }

  @Test func `the same release again makes no commit`() async throws {
    try await Workshop.with { workshop in
      let first = try await workshop.release().run()
      let second = try await workshop.release().run()
      #expect(second.publication.upload.isNewCommit == false)
      #expect(second.publication.upload.commit == first.publication.upload.commit)
      #expect(second.publication.upload.changed == [])
    }
  }

  @Test func `a model that was merged for another recipe is not published`() async throws {
    try await Workshop.with { workshop in
      workshop.faults.add(
        .init(.status(403), method: "POST", path: "/api/models/demo/merged/commit"))
      await #expect(throws: HubError.self) { try await workshop.release().run() }
      let other = Workshop.recipe.replacing("0.25", with: "0.5")
      #expect(try await workshop.release(recipe: other).run().build != nil)
      let digests = try await workshop.published()
      try await workshop.client().model("demo/merged").delete()
      _ = try await workshop.release(recipe: other).run()
      #expect(try await workshop.published() == digests)
    }
  }

  @Test func `two releases of one repository do not get in each other's way`() async throws {
    try await Workshop.with { workshop in
      let folder = workshop.workspace.appending("demo--merged")
      try FileSystem.createFolder(folder)
      let lock = try #require(try FileLock.tryLock(folder.appending("lock")))
      let error = await #expect(throws: ReleaseError.self) { try await workshop.release().run() }
      guard case .inProgress = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      withExtendedLifetime(lock) {}
    }
  }
}

@Suite struct ModelBuildTests {
  @Test func `planning fetches no weights, and writing reads what was planned`() async throws {
    try await Workshop.with { workshop in
      let build = try workshop.build()
      let plan = try await build.plan()
      #expect(try workshop.cachedWeights() == [])
      try await build.fetchWeights(plan)
      let out = workshop.folder.appending("out")
      let result = try await build.write(
        plan, to: out, replacing: false, repository: nil, template: nil)
      #expect(result.bytesWritten == plan.layout.fileSize)
      #expect(result.bytesRead == plan.inputBytes)
      #expect(!FileSystem.exists(out.appending("README.md")))
      #expect(try Checkpoint(folder: out).shards.count == plan.layout.shards.count)
    }
  }

  @Test func `the same build from the cache gives the same bytes`() async throws {
    try await Workshop.with { workshop in
      var digests: [[String: String]] = []
      for name in ["first", "second"] {
        let build = try workshop.build(offline: name == "second")
        let plan = try await build.plan()
        try await build.fetchWeights(plan)
        let out = workshop.folder.appending(name)
        _ = try await build.write(plan, to: out, replacing: false, repository: nil, template: nil)
        digests.append(try FileSystem.digests(below: out))
      }
      #expect(digests[0] == digests[1])
    }
  }

  @Test func `a cancelled build leaves no folder`() async throws {
    try await Workshop.with { workshop in
      let build = try workshop.build()
      let plan = try await build.plan()
      try await build.fetchWeights(plan)
      let out = workshop.folder.appending("out")
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await build.write(
          plan, to: out, replacing: false, repository: nil, template: nil)
      }
      await #expect(throws: (any Error).self) { try await task.value }
      #expect(!FileSystem.exists(out))
    }
  }
}
