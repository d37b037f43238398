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

/// A hub that has two models, a client of it, and a cache.
struct Workshop: Sendable {
  let hub: HubFixture
  let folder: FilePath
  let faults: Faults
  private let events: EventLog

  static let recipe = """
    merge_method: linear
    models:
      - model: demo/one
        parameters: {weight: 0.25}
      - model: demo/two
        parameters: {weight: 0.75}
    dtype: float32

    """

  static func with(
    isolation: isolated (any Actor)? = #isolation, _ body: (Workshop) async throws -> Void
  ) async throws {
    let faults = Faults()
    try await withTemporaryFolder { folder in
      try await HubFixture.withHub(faults: faults) { hub in
        let workshop = Workshop(hub: hub, folder: folder, faults: faults, events: EventLog())
        for (name, seed) in [("one", UInt64(1)), ("two", 2)] {
          let model = try ModelFixture(seed: seed).setting(\.shardSize, to: 2048)
            .write(to: folder.appending(name))
          _ = try await hub.server.importFolder(
            model, as: RepoID("demo/\(name)"), message: "Import")
        }
        try await body(workshop)
      }
    }
  }

  var cache: HubCache { HubCache(folder.appending("cache")) }
  var workspace: FilePath { folder.appending("work") }

  func client(offline: Bool = false, retries: Int = 0) throws -> HubClient {
    var configuration = HubConfiguration(
      endpoint: try #require(WebURL(hub.url)), userAgent: "hubmerge/test")
    configuration.retry.retries = retries
    configuration.retry.firstDelay = 0.01
    configuration.retry.longestDelay = 0.02
    configuration.isOffline = offline
    return HubClient(configuration) { events.add($0) }
  }

  func source(
    offline: Bool = false, stream: RangeReader? = nil, retries: Int = 0
  ) throws -> HubModelSource {
    HubModelSource(
      hub: try client(offline: offline, retries: retries), cache: cache, stream: stream)
  }

  /// Bytes that have come from the hub as parts of files.
  var bytesFetched: Int { events.bytesFetched }

  func build(
    offline: Bool = false, recipe: String = recipe, stream: RangeReader? = nil, retries: Int = 0
  ) throws -> ModelBuild {
    let file = folder.appending("recipe.yml")
    try FileSystem.write(recipe, to: file)
    var options = PlanOptions()
    options.maximumShardSize = 2048
    return ModelBuild(
      recipe: try Recipe(contentsOf: file),
      source: try source(offline: offline, stream: stream, retries: retries),
      options: options, threads: 2, toolVersion: "test", hubAddress: hub.url
    ) { _ in }
  }

  func release() throws -> Release {
    let build = try build()
    return Release(
      build: build,
      publication: Publication(
        to: try build.source.hub.model("demo/merged"),
        Publication.Terms(message: CommitMessage("Merge")), state: folder.appending("state")),
      workspace: workspace, template: try #require(try CardTemplate(builtin: "default")))
  }

  /// The files of weights in the cache.
  func cachedWeights() throws -> [String] {
    guard FileSystem.exists(cache.root) else { return [] }
    return try FileSystem.files(below: cache.root).map(\.string)
      .filter { $0.hasSuffix(".safetensors") }
  }
}

private final class EventLog: Sendable {
  private let fetched = Mutex(0)

  var bytesFetched: Int { fetched.withLock { $0 } }

  func add(_ event: HubEvent) {
    if case .advanced(.download, _, let bytes) = event { fetched.withLock { $0 += bytes } }
  }
}
