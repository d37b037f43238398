// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Merging
internal import Publishing
internal import Storage
internal import Synchronization
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Weights

/// Releases whose shards are sent while the next ones are merged, and removed when they are asked to stream.
@Suite struct ReleaseStreamTests {
  /// The shards that lie in the folder in the making.
  private func shards(_ workshop: Workshop) throws -> [String] {
    let folder = workshop.workspace.appending("demo--merged/.model.hubmerge")
    guard FileSystem.exists(folder) else { return [] }
    return try FileSystem.names(in: folder).filter { $0.hasSuffix(".safetensors") }
  }

  @Test func `a stream publishes the same files as a release that keeps its shards`() async throws {
    try await Workshop.with { workshop in
      let kept = try await workshop.release(recipe: workshop.localRecipe).run()
      let digests = try await workshop.published()
      try await workshop.client().model("demo/merged").delete()
      try workshop.forgetObjects()
      let streamed = try await workshop.release(recipe: workshop.localRecipe) {
        $0.isStreaming = true
        $0.disk = 5000
      }.run()
      #expect(try await workshop.published() == digests)
      #expect(streamed.publication.upload.changed == kept.publication.upload.changed)
      #expect(streamed.publication.upload.bytesSent == kept.publication.upload.bytesSent)
      #expect(try await workshop.client().model("demo/merged").commits().count == 2)
      #expect(try FileSystem.names(in: workshop.workspace) == [])
    }
  }

  @Test func `before the one commit nothing is visible, and shards that are sent are gone`()
    async throws
  {
    try await Workshop.with { workshop in
      workshop.faults.add(
        .init(.status(403), method: "POST", path: "/api/models/demo/merged/commit"))
      let release = {
        try workshop.release(recipe: workshop.localRecipe) { $0.isStreaming = true }
      }
      await #expect(throws: HubError.self) { try await release().run() }
      #expect(try await workshop.published().keys.sorted() == [".gitattributes"])
      #expect(try shards(workshop).isEmpty)

      let sent = workshop.bytesSent
      let second = try await release().run()
      #expect(second.build == nil)
      #expect(second.publication.upload.isNewCommit)
      // The shards were on the hub already.
      #expect(workshop.bytesSent == sent)
      #expect(try await workshop.published().count > 8)
    }
  }

  @Test func `models on the hub are read there, and no weights of them are kept`() async throws {
    try await Workshop.with { workshop in
      let stream = RangeReader()
      let streamed = try await workshop.release(stream: stream) {
        $0.isStreaming = true
        $0.disk = 5000
      }.run()
      #expect(try workshop.cachedWeights() == [])
      #expect(streamed.build?.bytesStreamed == stream.statistics.fetched)
      // What is read where it is has no digest of its own that a lock, and the card with it, could tell.
      let isAlike = { (file: (key: String, value: String)) in
        file.key != "hubmerge.lock" && file.key != "README.md"
      }
      let digests = try await workshop.published()
      try await workshop.client().model("demo/merged").delete()
      _ = try await workshop.release().run()
      #expect(try await workshop.published().filter(isAlike) == digests.filter(isAlike))
      #expect(digests["hubmerge.lock"] != nil)
    }
  }

  @Test func `an upload that fails stops the merge, and the next run goes on after it`()
    async throws
  {
    try await Workshop.with { workshop in
      workshop.faults.add(
        .init(.status(500), method: "PUT", path: "/objects/", skip: 1, times: 100))
      let release = {
        try workshop.release(recipe: workshop.localRecipe) {
          $0.isStreaming = true
          $0.disk = 5000
        }
      }
      await #expect(throws: HubError.self) { try await release().run() }
      let sent = workshop.bytesSent
      #expect(sent > 0)
      workshop.faults.removeAll()
      let result = try await release().run()
      #expect(result.build != nil)
      let total = workshop.bytesSent
      try await workshop.client().model("demo/merged").delete()
      try workshop.forgetObjects()
      let undisturbed = try await release().run()
      #expect(total == undisturbed.publication.upload.bytesSent - undisturbed.smallBytes)
    }
  }

  @Test func `shards that the hub has lost meanwhile are merged and sent again`() async throws {
    try await Workshop.with { workshop in
      workshop.faults.add(
        .init(.status(403), method: "POST", path: "/api/models/demo/merged/commit"))
      let release = {
        try workshop.release(recipe: workshop.localRecipe) { $0.isStreaming = true }
      }
      await #expect(throws: HubError.self) { try await release().run() }
      try workshop.forgetObjects()
      let result = try await release().run()
      #expect(result.build != nil)
      #expect(result.publication.upload.isNewCommit)
    }
  }

  @Test func `limits that are too narrow are told before anything is done`() async throws {
    try await Workshop.with { workshop in
      for change in [
        { @Sendable (limits: inout Release.Limits) in
          limits.isStreaming = true
          limits.disk = 100
        }, { $0.memory = 1000 },
      ] {
        await #expect(throws: ReleaseError.self) {
          try await workshop.release(recipe: workshop.localRecipe, change).run()
        }
      }
      let error = await #expect(throws: HubError.self) {
        try await workshop.client().model("demo/merged").info()
      }
      #expect(error?.kind == .repositoryNotFoundOrPrivate)
    }
  }

  @Test func `a forecast tells what a release needs`() async throws {
    try await Workshop.with { workshop in
      let whole = try await workshop.release().forecast()
      #expect(whole.isNewRepository)
      #expect(whole.bytesToDownload > whole.plan.inputBytes)
      #expect(whole.bytesToUpload == whole.plan.layout.fileSize)
      #expect(whole.disk == whole.bytesToDownload + whole.bytesToUpload)
      let stream = try await workshop.release {
        $0.isStreaming = true
        $0.disk = 5000
      }.forecast()
      #expect(stream.disk == 5000)
      #expect(stream.bytesToDownload == stream.plan.inputBytes)
      #expect(try workshop.cachedWeights() == [])
      _ = try await workshop.release().run()
      let again = try await workshop.release().forecast()
      #expect(!again.isNewRepository)
      #expect(again.bytesToDownload == 0)
    }
  }
}

extension Release.Result {
  /// Bytes that went with the commit itself.
  fileprivate var smallBytes: Int {
    publication.upload.bytesSent - plan.layout.fileSize
  }
}

extension Workshop {
  /// Has the hub lose all large files that were sent to it; what was imported stays.
  func forgetObjects() throws {
    for name in ["one", "two"] where !FileSystem.exists(folder.appending(name)) { return }
    let imported = Set(
      try ["one", "two"].flatMap { try FileSystem.digests(below: folder.appending($0)).values })
    let blobs = hub.root.appending("blobs")
    for path in try FileSystem.files(below: blobs) {
      guard let name = path.lastComponent?.string, name.count == 64, !imported.contains(name) else {
        continue
      }
      try FileSystem.remove(blobs.pushing(path))
    }
  }
}
