// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import LocalHub
import Storage
import SystemPackage
import Testing

/// Downloads over servers and lines at fault.
@Suite struct FaultTests {
  private let folder: TemporaryFolder
  private let events = EventLog()
  private let weights = noise(200_000)

  init() throws { folder = try TemporaryFolder() }

  private var cache: HubCache { HubCache(folder.path.appending("cache")) }

  private func client(_ origin: String) -> HubClient {
    var configuration = HubConfiguration.testing(origin, token: "hf_secret")
    configuration.transport.patience = 1
    return HubClient(configuration) { [events] in events.add($0) }
  }

  private func weights(_ snapshot: Snapshot) throws -> [UInt8]? {
    try snapshot.files.first { $0.path == "w.bin" }.map { try FileSystem.read($0.place) }
  }

  @Test(arguments: [
    OneModelHub.Fault.answers(429, headers: ["RateLimit: \"resolvers\";r=0;t=0"], times: 1),
    .answers(429, headers: ["Retry-After: 0"], times: 1), .answers(500, headers: [], times: 3),
    .answers(504, headers: [], times: 3), .answers(403, headers: [], times: 2),
    .answers(206, headers: ["Content-Range: bytes 7-9/200000"], times: 0), .drips(1),
  ])
  func `a store at fault is overcome`(_ fault: OneModelHub.Fault) async throws {
    let hub = OneModelHub(["w.bin": weights], large: ["w.bin"], fault: fault)
    let snapshot = try await client(hub.hub.origin).model("acme/one").fetch(into: .cache(cache))
    #expect(try weights(snapshot) == weights)
    #expect(events.advanced == weights.count)
  }

  @Test func `a rate limit is waited for as long as the hub says`() async throws {
    let fault = OneModelHub.Fault.answers(
      429, headers: ["RateLimit: \"resolvers\";r=0;t=1"], times: 1)
    let hub = OneModelHub(["w.bin": [1, 2, 3]], large: ["w.bin"], fault: fault)
    let clock = ContinuousClock()
    let time = try await clock.measure {
      _ = try await client(hub.hub.origin).model("acme/one").fetch(into: .cache(cache))
    }
    #expect(time >= .seconds(2))
    #expect(events.waits.map(\.reason) == [.rateLimit])
    #expect(events.waits.map(\.seconds) == [2])
  }

  @Test func `a store that has less than was listed is named, not asked for ever`() async throws {
    let hub = OneModelHub(
      ["w.bin": weights], large: ["w.bin"], fault: .answers(416, headers: [], times: 1000))
    let error = await #expect(throws: HubError.self) {
      try await client(hub.hub.origin).model("acme/one").fetch(into: .cache(cache))
    }
    #expect(error?.kind == .rangeNotSatisfiable)
  }

  @Test func `wrong bytes of the right length are fetched once more, then given up`() async throws {
    let hub = OneModelHub(["w.bin": weights], large: ["w.bin"], fault: .corruptsBodies(1000))
    let error = await #expect(throws: HubError.self) {
      try await client(hub.hub.origin).model("acme/one").fetch(into: .cache(cache))
    }
    guard case .corrupt(path: "w.bin", expected: _, let actual) = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(actual.count == 64)
    #expect(hub.store.requests.count == 8)
  }

  @Test func `a connection that is reset at every megabyte loses nothing`() async throws {
    let big = noise(5_000_000)
    var configuration = HubServer.Configuration(root: folder.path.appending("hub"))
    let faults = Faults([
      Faults.Rule(.reset(after: 1 << 20), method: "GET", path: "/objects/", times: 1000)
    ])
    configuration.faults = faults
    let server = HubServer(configuration)
    let origin = try await server.start()
    let publisher = client(origin)
    let repository = try publisher.model("acme/one")
    try await publisher.createRepository(repository.id)
    _ = try await repository.upload(
      [try UploadFile("w.bin", .bytes(big))], message: CommitMessage("Add"))
    var settings = HubConfiguration.testing(origin, retries: 2)
    settings.pieceLength = 8 << 20
    let snapshot = try await HubClient(settings) { [events] in events.add($0) }.model("acme/one")
      .fetch(into: .cache(cache))
    #expect(try weights(snapshot) == big)
    // A reset may take with it what the socket still held, never what was written down.
    #expect(faults.hits < 60)
    await server.stop()
  }

  @Test func `the token and the agent's name are all that any server learns`() async throws {
    let third = ScriptedServer { request in
      .init(status: 206, headers: [("Content-Range", "bytes 0-2/3")], body: [1, 2, 3])
    }
    let there = third.origin
    let second = ScriptedServer { _ in .redirect("\(there)/w.bin?signature=1") }
    let onward = second.origin
    let commit = OneModelHub.commit
    let hub = ScriptedServer { request in
      if request.path.hasSuffix("/revision/main") { return .json(#"{"sha":"\#(commit)"}"#) }
      if request.path.contains("/tree/") {
        return .json(
          #"[{"type":"file","path":"w.bin","size":3,"oid":"\#(Digest.gitBlob([1, 2, 3]))"}]"#)
      }
      return .redirect("\(onward)/once")
    }
    let snapshot = try await client(hub.origin).model("acme/one").fetch(into: .cache(cache))
    #expect(try weights(snapshot) == [1, 2, 3])
    for server in [second, third] {
      #expect(server.requests.count == 1)
      #expect(
        server.requests.allSatisfy { request in
          Set(request.headers.keys).isSubset(of: ["host", "user-agent", "accept", "range"])
            && !request.headers.values.contains { $0.contains("hf_secret") }
        })
    }
  }

  @Test func `several clients of one cache fetch a content once`() async throws {
    let hub = OneModelHub(["w.bin": weights], large: ["w.bin"])
    let origin = hub.hub.origin
    let path = cache.root
    let fetched = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        // Each with its own locks, as processes have.
        let client = client(origin)
        group.addTask {
          let snapshot = try await client.model("acme/one").fetch(into: .cache(HubCache(path)))
          return snapshot.files.count { !$0.wasReused }
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(fetched == 1)
    #expect(hub.store.requests.compactMap(\.range).reduce(0) { $0 + $1.count } == weights.count)
  }

  @Test func `a forecast tells what is here, in part and not at all, and writes nothing`()
    async throws
  {
    let hub = OneModelHub(
      ["a.bin": weights, "b.bin": weights, "c.json": [1, 2], "d.json": [3]],
      large: ["a.bin", "b.bin"])
    let repository = try client(hub.hub.origin).model("acme/one")
    let before = try await repository.forecast(into: .cache(cache))
    #expect(before.files.map(\.path) == ["a.bin", "b.bin", "c.json", "d.json"])
    #expect((before.size, before.missing) == (400_003, 200_003))
    #expect(!FileSystem.exists(cache.root))
    _ = try await repository.fetch(.main, FileSelection(include: ["c.json"]), into: .cache(cache))
    let after = try await repository.forecast(into: .cache(cache))
    #expect(after.missing == 200_001)
    _ = try await repository.fetch(into: .folder(folder.path.appending("x"), cache: nil))
    let inFolder = try await repository.forecast(
      into: .folder(folder.path.appending("x"), cache: nil))
    #expect(inFolder.missing == 0)
  }
}
