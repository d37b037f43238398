// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import Storage
import SystemPackage
import Testing

@Suite struct DownloadTests {
  private let folder: TemporaryFolder
  private let events = EventLog()
  private let config = Array(#"{"model_type":"llama"}"#.utf8)

  init() throws { folder = try TemporaryFolder() }

  private func model(_ hub: OneModelHub, token: String? = nil) throws -> Repository {
    let client = HubClient(.testing(hub.hub.origin, token: token)) { [events] in events.add($0) }
    return try client.model("acme/one")
  }

  private var cache: HubCache { HubCache(folder.path.appending("hub")) }

  private func contents(_ snapshot: Snapshot) throws -> [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: try snapshot.files.map { ($0.path, try FileSystem.read($0.place)) })
  }

  @Test func `a snapshot has every file, small and large, empty and nested`() async throws {
    let hub = OneModelHub(
      [
        "config.json": config, "a/b/deep.txt": [1, 2, 3], "empty.txt": [],
        "w.safetensors": noise(300_000),
      ],
      large: ["w.safetensors"])
    let snapshot = try await model(hub).fetch(into: .cache(cache))
    #expect(try contents(snapshot) == hub.files)
    #expect(snapshot.commit.hex == OneModelHub.commit)
    #expect(events.advanced == hub.files.values.reduce(0) { $0 + $1.count })
    #expect(!hub.hub.lines.contains { $0.hasPrefix("HEAD") || $0.hasSuffix("empty.txt") })
  }

  @Test func `a second fetch asks for the commit and nothing else`() async throws {
    let hub = OneModelHub(["config.json": config, "w.bin": noise(1000)], large: ["w.bin"])
    _ = try await model(hub).fetch(into: .cache(cache))
    let before = hub.hub.lines.count
    let again = try await model(hub).fetch(into: .cache(cache))
    #expect(Array(hub.hub.lines[before...]) == ["GET /api/models/acme/one/revision/main"])
    #expect(again.files.allSatisfy { $0.wasReused })
  }

  @Test func `a file that was asked for by name and is not there is remembered as absent`()
    async throws
  {
    let hub = OneModelHub(["config.json": config])
    let repository = try model(hub)
    let selection = FileSelection(include: ["config.json", "a/adapter.json", "*.bin", "../x"])
    let snapshot = try await repository.fetch(.main, selection, into: .cache(cache))
    #expect(snapshot.files.map(\.path) == ["config.json"])
    let marker = cache.folder(of: repository.id)
      .pushing(FilePath(".no_exist/\(OneModelHub.commit)/a/adapter.json"))
    #expect(try FileSystem.read(marker) == [])
    let lookup = cache.file("a/adapter.json", of: repository.id, at: snapshot.commit)
    #expect(lookup == .absent)
    let markers = marker.removingLastComponent().removingLastComponent()
    #expect(try FileSystem.files(below: markers) == ["a/adapter.json"])
    #expect(!FileSystem.exists(markers.removingLastComponent().appending("x")))
  }

  @Test func `a listing of many pages is read to its end`() async throws {
    let files = Dictionary(uniqueKeysWithValues: (0..<25).map { ("f\($0).txt", [UInt8($0)]) })
    let hub = OneModelHub(files, pageSize: 4)
    let snapshot = try await model(hub).fetch(into: .cache(cache))
    #expect(try contents(snapshot) == files)
  }

  @Test func `a file of several pieces comes whole from the store without the token`() async throws
  {
    let weights = noise(170_000)
    let hub = OneModelHub(["w.safetensors": weights], large: ["w.safetensors"])
    let snapshot = try await model(hub, token: "hf_secret").fetch(into: .cache(cache))
    #expect(try contents(snapshot)["w.safetensors"] == weights)
    #expect(hub.store.requests.count == 3)
    #expect(hub.store.requests.allSatisfy { $0.headers["authorization"] == nil })
    #expect(hub.hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
  }

  @Test(arguments: [
    OneModelHub.Fault.cutsBodies(3), .corruptsBodies(2), .ignoresRanges, .expires,
  ])
  func `a store at fault is overcome`(_ fault: OneModelHub.Fault) async throws {
    let weights = noise(200_000)
    let hub = OneModelHub(["w.safetensors": weights], large: ["w.safetensors"], fault: fault)
    let snapshot = try await model(hub).fetch(into: .cache(cache))
    #expect(try contents(snapshot)["w.safetensors"] == weights)
    #expect(events.advanced == weights.count)
  }

  @Test func `corrupt bytes are reported and never published`() async throws {
    let hub = OneModelHub(["w.bin": noise(1000)], large: ["w.bin"], fault: .corruptsBodies(100))
    let error = await #expect(throws: HubError.self) {
      try await model(hub).fetch(into: .cache(cache))
    }
    guard case .corrupt(path: "w.bin", _, _) = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    let blobs = cache.folder(of: try RepoID("acme/one")).appending("blobs")
    #expect(try FileSystem.names(in: blobs) == [])
  }

  @Test func `an interrupted download goes on where it was`() async throws {
    let weights = noise(170_000)
    let cutting = OneModelHub(
      ["w.safetensors": weights], large: ["w.safetensors"], fault: .cutsBodies(1000))
    var configuration = HubConfiguration.testing(cutting.hub.origin, retries: 0)
    configuration.connections = 1
    let repository = try HubClient(configuration).model("acme/one")
    await #expect(throws: HubError.self) { try await repository.fetch(into: .cache(cache)) }

    let honest = OneModelHub(["w.safetensors": weights], large: ["w.safetensors"])
    let snapshot = try await model(honest).fetch(into: .cache(cache))
    #expect(try contents(snapshot)["w.safetensors"] == weights)
    let asked = honest.store.requests.compactMap(\.range).reduce(0) { $0 + $1.count }
    #expect(asked < weights.count)
    #expect(events.advanced == weights.count)
    let blobs = cache.folder(of: try RepoID("acme/one")).appending("blobs")
    #expect(try FileSystem.names(in: blobs) == [Digest.sha256(weights).hex])
  }

  @Test func `a range is read without the rest of the file`() async throws {
    let weights = noise(50_000)
    let hub = OneModelHub(["w.safetensors": weights], large: ["w.safetensors"])
    let commit = try #require(CommitID(OneModelHub.commit))
    let bytes = try await model(hub).bytes(of: "w.safetensors", 1000..<3000, at: commit)
    #expect(bytes == Array(weights[1000..<3000]))
    #expect(hub.store.requests.compactMap(\.range) == [1000...2999])
  }

  @Test func `a range comes from a server that sends whole files only`() async throws {
    let weights = noise(50_000)
    let hub = OneModelHub(["w.bin": weights], large: ["w.bin"], fault: .ignoresRanges)
    let commit = try #require(CommitID(OneModelHub.commit))
    let bytes = try await model(hub).bytes(of: "w.bin", 1000..<3000, at: commit)
    #expect(bytes == Array(weights[1000..<3000]))
  }

  @Test func `when the hub is gone the cache answers`() async throws {
    var hub: OneModelHub? = OneModelHub(["config.json": config, "w.bin": noise(10)])
    let configuration = HubConfiguration.testing(hub!.hub.origin, retries: 0)
    _ = try await HubClient(configuration).model("acme/one").fetch(into: .cache(cache))
    hub = nil
    let snapshot = try await HubClient(configuration).model("acme/one").fetch(into: .cache(cache))
    #expect(snapshot.files.map(\.path) == ["config.json", "w.bin"])
    #expect(snapshot.isKnownComplete)
    await #expect(throws: HubError.self) {
      try await HubClient(configuration).model("acme/other").fetch(into: .cache(cache))
    }
  }

  @Test func `a plain folder gets files, not links, and keeps what did not change`() async throws {
    let hub = OneModelHub(["config.json": config, "w.bin": noise(1000)], large: ["w.bin"])
    let target = folder.path.appending("plain")
    let first = try await model(hub).fetch(into: .folder(target, cache: nil))
    #expect(try contents(first) == hub.files)
    #expect(FileSystem.kindWithoutFollowing(target.appending("w.bin")) == .file)
    try FileSystem.write("edited", to: target.appending("config.json"))
    let second = try await model(hub).fetch(into: .folder(target, cache: nil))
    #expect(try contents(second) == hub.files)
    #expect(second.files.map(\.wasReused) == [false, true])
  }
}
