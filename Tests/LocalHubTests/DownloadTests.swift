// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Hub
import LocalHub
import Storage
internal import SystemPackage
import TestSupport
import Testing

@Suite struct DownloadTests {
  private static let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

  /// A hub with a small and a large file.
  private func withFiles(
    _ configuration: HubServer.Configuration = HubFixture.defaults, faults: Faults? = nil,
    _ body: (WireClient) async throws -> Void
  ) async throws {
    try await HubFixture.withHub(configuration, faults: faults) { hub in
      let folder = try TemporaryFolder()
      try FileSystem.write("0123456789", to: folder.path.appending("small.txt"))
      try FileSystem.write(Self.content, to: folder.path.appending("large.bin"))
      _ = try await hub.server.importFolder(folder.path, as: RepoID("acme/m"), message: "files")
      try await body(WireClient(hub.url))
    }
  }

  @Test func `A small file comes directly, with its git name as ETag`() async throws {
    try await withFiles { client in
      for method in ["GET", "HEAD"] {
        let reply = try await client.send(method, "/acme/m/resolve/main/small.txt")
        #expect(reply.status == 200)
        #expect(reply["ETag"] == "\"\(Digest.gitBlob(Array("0123456789".utf8)))\"")
        #expect(reply["X-Repo-Commit"] == (try await client.head("acme/m")))
        #expect(reply["Content-Length"] == "10")
        #expect(reply.text == (method == "GET" ? "0123456789" : ""))
      }
    }
  }

  @Test func `A large file leads to another origin, with all facts on the redirect`() async throws {
    try await withFiles { client in
      let head = try await client.send("HEAD", "/acme/m/resolve/main/large.bin")
      #expect(head.status == 200)
      #expect(head["Content-Length"] == "100000")
      #expect(head["ETag"] == "\"\(Digest.sha256(Self.content))\"")
      #expect(head["X-Repo-Commit"]?.count == 40)
      let reply = try await client.send("GET", "/acme/m/resolve/main/large.bin")
      #expect(reply.status == 302)
      #expect(reply["X-Linked-Etag"] == "\"\(Digest.sha256(Self.content))\"")
      #expect(reply["X-Linked-Size"] == "100000")
      #expect(reply["X-Repo-Commit"]?.count == 40)
      let location = try #require(reply["Location"])
      #expect(!location.hasPrefix("http://127.0.0.1:\(client.port)/"))
      #expect(try await WireClient.follow(location).body == Self.content)
      #expect(try await WireClient.follow(location, "HEAD")["Content-Length"] == "100000")
      #expect(try await WireClient.follow(location, "PUT", body: []).status != 200)
      let forged = location.replacing("expires=", with: "expires=9")
      #expect(try await WireClient.follow(forged).status == 403)
    }
  }

  @Test func `A link expires`() async throws {
    try await withFiles(HubFixture.defaults.setting(\.linkLifetime, to: 0)) { client in
      let reply = try await client.send("GET", "/acme/m/resolve/main/large.bin")
      #expect(try await WireClient.follow(try #require(reply["Location"])).status == 403)
    }
  }

  @Test(arguments: [
    ("bytes=2-4", 206, "234", "bytes 2-4/10"), ("bytes=8-", 206, "89", "bytes 8-9/10"),
    ("bytes=-3", 206, "789", "bytes 7-9/10"), ("bytes=5-99", 206, "56789", "bytes 5-9/10"),
    ("bytes=-99", 206, "0123456789", "bytes 0-9/10"), ("bytes=10-", 416, "", "bytes */10"),
    ("bytes=-0", 416, "", "bytes */10"), ("bytes=4-2", 200, "0123456789", nil),
    ("bytes=0-1,3-4", 200, "0123456789", nil), ("lines=1-2", 200, "0123456789", nil),
  ])
  func `Ranges`(_ range: String, _ status: Int, _ text: String, _ header: String?) async throws {
    try await withFiles { client in
      let reply = try await client.send(
        "GET", "/acme/m/resolve/main/small.txt", headers: ["Range: \(range)"])
      #expect(reply.status == status)
      #expect(reply.text == text)
      #expect(reply["Content-Range"] == header)
    }
  }

  @Test func `What is missing has a name`() async throws {
    try await withFiles { client in
      let entry = try await client.send("GET", "/acme/m/resolve/main/none")
      #expect(entry.status == 404 && entry["X-Error-Code"] == "EntryNotFound")
      #expect(entry["X-Repo-Commit"]?.count == 40)
      let revision = try await client.send("GET", "/acme/m/resolve/none/small.txt")
      #expect(revision.status == 404 && revision["X-Error-Code"] == "RevisionNotFound")
      let folder = try await client.send("GET", "/api/models/acme/m/tree/main/none")
      #expect(folder.status == 404 && folder["X-Error-Code"] == "EntryNotFound")
    }
  }

  @Test func `Listings come in pages that lead to one another`() async throws {
    try await withFiles(HubFixture.defaults.setting(\.pageSize, to: 2)) { client in
      var link: String? =
        "http://127.0.0.1:\(client.port)/api/models/acme/m/tree/main?recursive=true"
      var paths: [String] = []
      var pages = 0
      while let current = link {
        let reply = try await WireClient.follow(current)
        paths += reply.json.array?.compactMap { $0["path"]?.string } ?? []
        link = reply["Link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
        pages += 1
      }
      #expect(paths == [".gitattributes", "large.bin", "small.txt"])
      #expect(pages == 2)
    }
  }

  @Test func `Facts about some paths, missing ones left out`() async throws {
    try await withFiles { client in
      let reply = try await client.send(
        "POST", "/api/models/acme/m/paths-info/main",
        body: Array("paths=large.bin&paths=none&expand=true".utf8))
      #expect(reply.json.array?.count == 1)
      #expect(reply.json.array?.first?["lfs"]?["size"]?.int == 100_000)
      #expect(reply.json.array?.first?["lastCommit"]?["title"]?.string == "files")
    }
  }

  @Test func `Faults spoil what they are told to, as often as they are told to`() async throws {
    let faults = Faults()
    try await withFiles(faults: faults) { client in
      let path = "/acme/m/resolve/main/small.txt"
      faults.add(.init(.rateLimited(seconds: 3), path: "small"))
      let limited = try await client.send("GET", path)
      #expect(limited.status == 429 && limited["RateLimit"] == "\"api\";r=0;t=3")
      #expect(try await client.send("GET", path).text == "0123456789")
      faults.add(.init(.truncate(after: 4), path: "small"))
      let short = try await client.send("GET", path)
      #expect(short.text == "0123" && short["Content-Length"] == "10")
      faults.add(.init(.wrongLength(excess: 5), path: "small"))
      #expect(try await client.send("GET", path)["Content-Length"] == "15")
      faults.add(.init(.wrongBytes, path: "small"))
      #expect(try await client.send("GET", path).body.dropFirst() == Array("123456789".utf8)[...])
      faults.add(.init(.ignoreRange, path: "small"))
      let whole = try await client.send("GET", path, headers: ["Range: bytes=3-"])
      #expect(whole.status == 200 && whole.text == "0123456789")
      faults.add(.init(.status(503), method: "HEAD", path: "small", skip: 1))
      #expect(try await client.send("HEAD", path).status == 200)
      #expect(try await client.send("HEAD", path).status == 503)
      #expect(faults.hits == 6)
    }
  }
}
