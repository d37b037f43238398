// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Weights

@Suite struct HubModelSourceTests {
  @Test func `headers are read off the hub without a shard being downloaded`() async throws {
    try await Workshop.with { workshop in
      let model = try await workshop.source().model(ModelReference(path: "demo/one"))
      #expect(model.hubID == "demo/one")
      #expect(model.commit?.count == 40)
      #expect(Set(model.checkpoint.names) == Set(ModelFixture().tensors.map(\.name)))
      #expect(model.checkpoint.shards.count > 1)
      let local = try Checkpoint(folder: workshop.folder.appending("one"))
      #expect(model.checkpoint.tensors == local.tensors)
      #expect(try workshop.cachedWeights() == [])
    }
  }

  @Test func `weights that are fetched once are read from the cache, offline too`() async throws {
    try await Workshop.with { workshop in
      let source = try workshop.source()
      let model = try await source.model(ModelReference(path: "demo/one"))
      try await source.fetchWeights(of: model)
      #expect(try workshop.cachedWeights().count == model.checkpoint.shards.count)
      let fetched = workshop.bytesFetched

      let offline = try await workshop.source(offline: true).model(ModelReference(path: "demo/one"))
      #expect(offline.commit == model.commit)
      #expect(offline.checkpoint.tensors == model.checkpoint.tensors)
      #expect(workshop.bytesFetched == fetched)
    }
  }

  @Test func `offline, a model that was never fetched is missing`() async throws {
    try await Workshop.with { workshop in
      await #expect(throws: HubError.self) {
        try await workshop.source(offline: true).model(ModelReference(path: "demo/one"))
      }
    }
  }

  @Test func `a folder goes before a repository of the same name`() async throws {
    try await Workshop.with { workshop in
      let path = workshop.folder.appending("one")
      let model = try await workshop.source().model(ModelReference(path: path.string))
      #expect(model.hubID == nil)
      #expect(model.checkpoint.folder == path)
    }
  }

  @Test(arguments: ["not an id", "../etc", "a/b/c"])
  func `what is neither a folder nor an id is not asked for`(path: String) async throws {
    try await Workshop.with { workshop in
      await #expect(throws: ModelSourceError.self) {
        try await workshop.source().model(ModelReference(path: path))
      }
    }
  }

  @Test func `a revision is found, and one that is not there is told`() async throws {
    try await Workshop.with { workshop in
      let main = try await workshop.source().model(ModelReference(path: "demo/one"))
      let commit = try #require(main.commit)
      let pinned = try await workshop.source().model(
        ModelReference(path: "demo/one", revision: commit))
      #expect(pinned.commit == commit)
      await #expect(throws: HubError.self) {
        try await workshop.source().model(ModelReference(path: "demo/one", revision: "v9"))
      }
    }
  }

  @Test func `a plan tells all models that cannot be read, each at its place`() async throws {
    try await Workshop.with { workshop in
      let text = Workshop.recipe.replacing("demo/one", with: "demo/gone")
        .replacing("demo/two", with: "not an id")
      let file = workshop.folder.appending("bad.yml")
      try FileSystem.write(text, to: file)
      let error = await #expect(throws: UnavailableModels.self) {
        _ = try await Planner.plan(Recipe(contentsOf: file), from: workshop.source())
      }
      #expect(error?.failures.map(\.model.path) == ["demo/gone", "not an id"])
      #expect(error?.failures.first?.error is HubError)
    }
  }
}
