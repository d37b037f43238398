// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc
internal import Hub
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

/// `hubmerge cache` over what `hubmerge fetch` has brought.
@Suite struct CacheCommandTests {
  private func withCache(
    _ body: (_ client: CommandRunner, _ folder: FilePath) async throws -> Void
  ) async throws {
    try await Scene.with { scene in
      try await scene.withServer("--import", "demo/one=a") { client, _ in
        let fetch = try await client.run("fetch", "demo/one", "--quiet")
        #expect(fetch.status == 0, "\(fetch.errors)")
        try await body(client, client.hubHome.pushing("hub/models--demo--one"))
      }
    }
  }

  @Test func `the list has the repository, its commit, its size and what is unfinished`()
    async throws
  {
    try await withCache { client, folder in
      let list = try await client.run("cache", "--json")
      #expect(list.status == 0, "\(list.errors)")
      let repository = try #require(try list.json["repositories"]?.array?.first)
      #expect(repository["repository"]?.string == "demo/one")
      let commit = try #require(repository["commits"]?.array?.first)
      #expect(commit["revisions"]?.array?.compactMap(\.string) == ["main"])
      #expect(commit["missing"]?.int == 0)
      #expect(commit["bytes"]?.int == repository["bytes"]?.int)

      let etag = String(repeating: "a", count: 64)
      let partial = folder.appending("blobs").appending("\(etag).hubmerge.partial")
      try FileSystem.write("12345", to: partial)
      try FileSystem.write("0 3\n", to: FilePath("\(partial).journal"))
      let text = try await client.run("cache", "ls")
      #expect(text.output.contains("unfinished: 3 B of 5 B"), "\(text.output)")
      #expect(text.output.contains("  main\n"), "\(text.output)")
    }
  }

  @Test func `verifying tells damage by the file and by the status`() async throws {
    try await withCache { client, folder in
      let sound = try await client.run("cache", "verify", "demo/one", "--json")
      #expect(sound.status == 0, "\(sound.errors)")
      #expect(try sound.json.array?.first?["sound"]?.bool == true)

      let snapshot = try #require(
        try FileSystem.files(below: folder.appending("snapshots")).first {
          $0.lastComponent?.string == "config.json"
        })
      let file = try File(folder.appending("snapshots").pushing(snapshot), .update)
      try file.write([UInt8(ascii: "!")], at: 0)
      let damaged = try await client.run("cache", "verify")
      #expect(damaged.status == 74, "\(damaged.errors)")
      #expect(damaged.output.contains("corrupt: \(folder)/blobs/"), "\(damaged.output)")

      let unknown = try await client.run("cache", "verify", "demo/two")
      #expect(unknown.status == 66)
      #expect(unknown.errors.contains("demo/two is not in the cache"), "\(unknown.errors)")
    }
  }

  @Test func `what has not changed since it was verified need not be read again`() async throws {
    try await withCache { client, folder in
      let blob = try #require(
        try FileSystem.names(in: folder.appending("blobs")).first { $0.utf8.count == 64 })
      let path = folder.appending("blobs").appending(blob)
      // Very young files are not trusted to show a change by their time.
      var times = [
        timeval(tv_sec: 1_700_000_000, tv_usec: 0), timeval(tv_sec: 1_700_000_000, tv_usec: 0),
      ]
      #expect(utimes(path.string, &times) == 0)
      #expect(try await client.run("cache", "verify").status == 0)
      let again = try await client.run("cache", "verify", "--changed", "--json")
      let report = try #require(try again.json.array?.first)
      #expect(report["unchanged"]?.int == 1)
      #expect(report["bytes"]?.int ?? .max < (try FileSystem.size(path)))

      try FileSystem.write(try FileSystem.read(path) + [0], to: path)
      let second = try await client.run("cache", "verify", "--changed")
      #expect(second.status == 74, "\(second.output)")
      #expect(second.output.contains("corrupt: \(path)"), "\(second.output)")
    }
  }

  @Test func `pruning removes what was broken off, and only that`() async throws {
    try await withCache { client, folder in
      let before = try FileSystem.files(below: folder)
      let partial = folder.appending("blobs").appending("abc.hubmerge.partial")
      try FileSystem.write("12345", to: partial)
      let rehearsal = try await client.run("cache", "prune", "--dry-run")
      #expect(rehearsal.output.contains("would remove \(partial)"), "\(rehearsal.output)")
      #expect(FileSystem.exists(partial))
      let pruned = try await client.run("cache", "prune", "--json")
      #expect(try pruned.json["paths"]?.array?.compactMap(\.string) == [partial.string])
      #expect(try FileSystem.files(below: folder) == before)
    }
  }

  @Test func `a commit goes by its name only`() async throws {
    try await withCache { client, folder in
      let vague = try await client.run("cache", "rm", "demo/one")
      #expect(vague.status == 64)
      #expect(vague.errors.contains("demo/one@"), "\(vague.errors)")
      let removed = try await client.run("cache", "rm", "demo/one@main")
      #expect(removed.status == 0, "\(removed.errors)")
      #expect(try FileSystem.names(in: folder.appending("blobs")) == [])
      #expect(try FileSystem.names(in: folder.appending("snapshots")) == [])
      let again = try await client.run("cache", "rm", "demo/one@main")
      #expect(again.status == 66)
    }
  }
}
