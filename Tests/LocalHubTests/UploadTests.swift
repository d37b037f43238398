// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import LocalHub
import Storage
internal import SystemPackage
import TestSupport
import Testing

@Suite struct UploadTests {
  private static let content = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  @Test func `The hub decides how files travel`() async throws {
    try await HubFixture.withHub(HubFixture.defaults.setting(\.regularFileLimit, to: 1000)) { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      _ = try await client.commit("acme/m", [WireClient.file("a.txt", "a")])
      func file(_ path: String, _ size: Int, _ sample: String) -> JSON {
        ["path": .string(path), "size": .int(size), "sample": .string(sample)]
      }
      let reply = try await client.send(
        "POST", "/api/models/acme/m/preupload/main",
        json: [
          "files": [
            file("a.txt", 1, "YQ=="), file("w.safetensors", 5, "YQ=="),
            file("big.txt", 1001, "YQ=="),
            file("x.dat", 2, "AAE="), file("empty.safetensors", 0, ""), file("t/x.log", 1, "YQ=="),
          ], "gitIgnore": "*.log\n!keep.log\n",
        ])
      let files = reply.json["files"]?.array ?? []
      #expect(
        files.compactMap { $0["uploadMode"]?.string }
          == ["regular", "lfs", "lfs", "lfs", "regular", "regular"])
      #expect(files.first?["oid"]?.string == Digest.gitBlob(Array("a".utf8)).hex)
      #expect(files.last?["shouldIgnore"]?.bool == true)
    }
  }

  @Test func `A basic upload is checked against its id`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let batch = try await client.batch("acme/m", Self.content).json
      #expect(batch["transfer"]?.string == "basic")
      let actions = batch["objects"]?.array?.first?["actions"]
      let link = try #require(actions?["upload"]?["href"]?.string)
      var wrong = Self.content
      wrong[77] ^= 1
      #expect(try await WireClient.follow(link, "PUT", body: wrong).status == 400)
      #expect(try await WireClient.follow(link, "PUT", body: Array(wrong.dropLast())).status == 400)
      let file = WireClient.large("w.bin", Self.content)
      #expect(try await client.commit("acme/m", [file]).status == 400)
      #expect(try await WireClient.follow(link, "PUT", body: Self.content).status == 200)
      #expect(try await client.commit("acme/m", [file]).status == 200)
      // Stored now: nothing to do a second time.
      let again = try await client.batch("acme/m", Self.content).json
      #expect(again["objects"]?.array?.first?["actions"] == nil)
      let left = try FileSystem.names(in: hub.root.appending("incoming"))
      #expect(left.isEmpty)
    }
  }

  @Test func `An upload in parts is complete only with all of them`() async throws {
    try await HubFixture.withHub(
      HubFixture.defaults.setting(\.multipartThreshold, to: 1000).setting(\.partSize, to: 2000)
    ) { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let batch = try await client.batch("acme/m", Self.content).json
      #expect(batch["transfer"]?.string == "multipart")
      let upload = try #require(batch["objects"]?.array?.first?["actions"]?["upload"])
      let header = try #require(upload["header"]?.members)
      #expect(header.map(\.key) == ["chunk_size", "00001", "00002", "00003"])
      var parts: [JSON] = []
      for number in 1...3 {
        let link = try #require(header[number].value.string)
        let part = Array(Self.content[(number - 1) * 2000..<min(number * 2000, 5000)])
        #expect(try await WireClient.follow(link, "PUT", body: part + [0]).status == 400)
        let reply = try await WireClient.follow(link, "PUT", body: part)
        parts.append(["partNumber": .int(number), "etag": .string(try #require(reply["ETag"]))])
      }
      let end = try #require(upload["href"]?.string)
      func complete(_ parts: [JSON]) async throws -> Int {
        let body: JSON = [
          "oid": .string(Digest.sha256(Self.content).hex), "parts": .array(parts),
        ]
        return try await WireClient.follow(
          end, "POST", body: Array(body.serialized(.compact).utf8)
        ).status
      }
      #expect(try await complete(Array(parts.dropLast())) == 400)
      #expect(try await complete(parts) == 200)
      let commit = try await client.commit("acme/m", [WireClient.large("w.odd", Self.content)])
      #expect(commit.status == 200)
      let attributes = try await client.send("GET", "/acme/m/resolve/main/.gitattributes").text
      #expect(attributes.hasSuffix("w.odd filter=lfs diff=lfs merge=lfs -text\n"))
    }
  }
}
