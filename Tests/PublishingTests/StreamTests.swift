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

/// Merges whose weights are read off the hub while they run.
@Suite struct StreamTests {
  /// A reader that holds little, so that these small models are large for it.
  private func reader(_ workshop: Workshop, memory: Int = 300_000) throws -> RangeReader {
    var limits = RangeReader.Limits()
    limits.memory = memory
    limits.pieceLength = 50_000
    return RangeReader(
      limits: limits,
      spool: try Spool(in: workshop.workspace, limit: 1 << 30, slotSize: limits.pieceLength))
  }

  /// Merges into a folder; the digests of its weights.
  private func merge(
    _ workshop: Workshop, _ recipe: String, to name: String, _ stream: RangeReader? = nil,
    retries: Int = 0
  ) async throws -> [String: String] {
    let build = try workshop.build(recipe: recipe, stream: stream, retries: retries)
    let plan = try await build.plan()
    try await build.fetchWeights(plan)
    let target = workshop.folder.appending(name)
    _ = try await build.write(
      plan, to: target, replacing: false, repository: nil, template: nil)
    return try FileSystem.digests(below: target).filter { $0.key.hasSuffix(".safetensors") }
  }

  /// A model of six layers of about 200 kB each.
  private func addLargeModel(_ workshop: Workshop) async throws {
    for (name, seed) in [("large", UInt64(7)), ("other", 8)] {
      let folder = try ModelFixture(seed: seed).setting(\.layers, to: 6).setting(\.hidden, to: 32)
        .setting(\.intermediate, to: 512).write(to: workshop.folder.appending(name))
      _ = try await workshop.hub.server.importFolder(
        folder, as: RepoID("demo/\(name)"), message: "Import")
    }
  }

  private static let stack = """
    merge_method: passthrough
    slices:
      - sources: [{model: demo/large, layer_range: [0, 1]}]
      - sources: [{model: demo/large, layer_range: [4, 5]}]
    dtype: float32

    """

  private static let ties = """
    merge_method: ties
    base_model: demo/large
    models:
      - model: demo/large
      - model: demo/other
        parameters: {weight: 0.5, density: 0.4}
    dtype: float32

    """

  @Test func `a streamed merge writes the same bytes, and no shard of its models is kept`()
    async throws
  {
    try await Workshop.with { workshop in
      let streamed = try await merge(
        workshop, Workshop.recipe, to: "streamed", reader(workshop))
      #expect(try workshop.cachedWeights() == [])
      #expect(streamed.count > 1)
      let fetched = try await merge(workshop, Workshop.recipe, to: "fetched")
      #expect(streamed == fetched)
      #expect(try workshop.cachedWeights() != [])
    }
  }

  @Test func `a stack of a few layers fetches these layers and nothing else`() async throws {
    try await Workshop.with { workshop in
      try await addLargeModel(workshop)
      let stream = try reader(workshop)
      let before = workshop.hub.server.bytesSent
      let streamed = try await merge(workshop, Self.stack, to: "streamed", stream)
      let sent = workshop.hub.server.bytesSent - before
      let build = try workshop.build(recipe: Self.stack)
      let plan = try await build.plan()
      let whole = plan.models.reduce(0) { $0 + $1.checkpoint.byteCount }
      // A small gap between two tensors may come with them.
      #expect(stream.statistics.fetched >= plan.inputBytes)
      #expect(stream.statistics.fetched < plan.inputBytes + 70_000)
      #expect(plan.inputBytes * 5 < whole * 2)
      // What the hub has sent besides: the header, listings, and the small files.
      #expect(sent >= plan.inputBytes)
      #expect(sent < plan.inputBytes + 220_000)
      let fetched = try await merge(workshop, Self.stack, to: "fetched")
      #expect(streamed == fetched)
    }
  }

  @Test func `a method of several passes fetches its inputs once`() async throws {
    try await Workshop.with { workshop in
      try await addLargeModel(workshop)
      // Less than the inputs of one tensor.
      let stream = try reader(workshop, memory: 100_000)
      let streamed = try await merge(workshop, Self.ties, to: "streamed", stream)
      let plan = try await workshop.build(recipe: Self.ties).plan()
      #expect(stream.statistics.fetched >= plan.inputBytes)
      // Small tensors that are read later may lie in the gaps between others.
      #expect(stream.statistics.fetched < plan.inputBytes * 11 / 10)
      #expect(stream.statistics.spooled > 0)
      #expect(stream.statistics.dropped == 0)
      let fetched = try await merge(workshop, Self.ties, to: "fetched")
      #expect(streamed == fetched)
    }
  }

  @Test(arguments: [
    Faults.Action.expiredLink, .reset(after: 20_000), .truncate(after: 20_000), .status(503),
    .rateLimited(seconds: 0),
  ])
  func `what goes wrong on the way is overcome`(_ fault: Faults.Action) async throws {
    try await Workshop.with { workshop in
      try await addLargeModel(workshop)
      // After the headers, in the middle of the merge.
      workshop.faults.add(
        Faults.Rule(fault, method: "GET", path: "/objects/", skip: 8, times: 3))
      let streamed = try await merge(
        workshop, Self.ties, to: "streamed", reader(workshop), retries: 5)
      #expect(workshop.faults.hits == 3)
      workshop.faults.removeAll()
      let fetched = try await merge(workshop, Self.ties, to: "fetched")
      #expect(streamed == fetched)
    }
  }

  @Test func `a stream that stays broken fails the merge and leaves no folder`() async throws {
    try await Workshop.with { workshop in
      try await addLargeModel(workshop)
      workshop.faults.add(
        Faults.Rule(.status(503), method: "GET", path: "/objects/", skip: 8, times: 10_000))
      let error = await #expect(throws: HubError.self) {
        _ = try await merge(workshop, Self.ties, to: "streamed", reader(workshop))
      }
      #expect(error?.kind == .server)
      #expect(!FileSystem.exists(workshop.folder.appending("streamed")))
      // When the hub is there again, it goes on.
      workshop.faults.removeAll()
      let streamed = try await merge(workshop, Self.ties, to: "streamed", reader(workshop))
      let fetched = try await merge(workshop, Self.ties, to: "fetched")
      #expect(streamed == fetched)
    }
  }
}
