// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import LocalHub
import Storage
import TestSupport
import Testing

@Suite struct CommitTests {
  @Test func `A commit with an object that does not exist changes nothing`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let before = try await client.head("acme/m")
      let content: [UInt8] = [1, 2, 3]
      let reply = try await client.commit(
        "acme/m", [WireClient.file("a.txt", "a"), WireClient.large("w.bin", content)])
      #expect(reply.status == 400)
      let oid = Digest.sha256(content).hex
      #expect(
        reply.json["error"]?.string == "LFS pointer pointed to a file that does not exist: \(oid)")
      #expect(try await client.head("acme/m") == before)
    }
  }

  @Test func `A stale parent is refused with 412`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let old = try await client.head("acme/m")
      let header: JSON = ["summary": "x", "parentCommit": .string(old)]
      #expect(
        try await client.commit("acme/m", header: header, [WireClient.file("a", "1")]).status == 200
      )
      let stale = try await client.commit("acme/m", header: header, [WireClient.file("a", "2")])
      #expect(stale.status == 412)
      #expect(try await client.send("GET", "/acme/m/resolve/main/a").text == "1")
    }
  }

  @Test(arguments: ["../a", "/a", "a/../b", "a//b", ".git/config", "a\\b", "", "a/", "sub/.GIT/x"])
  func `A path that could leave its folder is refused`(_ path: String) async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      #expect(try await client.commit("acme/m", [WireClient.file(path, "x")]).status == 400)
    }
  }

  @Test(arguments: [
    "/acme/m/resolve/main/../../../../etc/passwd", "/acme/m/resolve/main/%2e%2e%2f%2e%2e%2fetc",
    "/acme/m/resolve/..%2f..%2fblobs/x", "/api/models/acme/m/tree/main/..%2f..",
    "/acme/..%2f..%2fblobs/resolve/main/x",
  ])
  func `No request leads out of the repository`(_ target: String) async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      #expect([404, 501].contains(try await client.send("GET", target).status))
    }
  }

  @Test func `Commits and folders have the ids that git gives them`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let reply = try await client.commit(
        "acme/m",
        [
          ("deletedFile", ["path": ".gitattributes"]), WireClient.file("s/d/x.txt", "hello\n"),
          WireClient.file("s/d.txt", ""),
        ])
      #expect(reply.status == 200)
      let tree = try await client.send("GET", "/api/models/acme/m/tree/main?recursive=true").json
        .array
      let oids = tree?.map { "\($0["path"]?.string ?? "") \($0["oid"]?.string ?? "")" }
      // From `git write-tree` and `git ls-tree`; git puts d.txt before d/.
      #expect(
        oids == [
          "s 7d3569b1ac6190cdc42ae3494cc23623a4150dd8",
          "s/d 9fa6a6d71d42445400aef1e5fda85a9cd64eb517",
          "s/d.txt e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
          "s/d/x.txt ce013625030ba8dba906f756967f9e9ca394464a",
        ])
    }
  }

  @Test func `Files are deleted, renamed and copied`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      _ = try await client.commit(
        "acme/m", ["a", "b", "s/x", "s/y", "st"].map { WireClient.file($0, $0) })
      let reply = try await client.commit(
        "acme/m",
        [
          ("deletedFolder", ["path": "s/"]), ("file", ["path": "c", "oldPath": "a"]),
          ("copy", ["path": "d", "srcPath": "b"]),
        ])
      #expect(reply.status == 200)
      let names = try await client.send("GET", "/api/models/acme/m/tree/main").json.array?
        .compactMap { $0["path"]?.string }
      #expect(names == [".gitattributes", "b", "c", "d", "st"])
      #expect(try await client.send("GET", "/acme/m/resolve/main/c").text == "a")
    }
  }

  @Test func `A file cannot stand where a folder is`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let files = [WireClient.file("a", "1"), WireClient.file("a/b", "2")]
      #expect(try await client.commit("acme/m", files).status == 400)
    }
  }

  @Test func `A card that the hub would refuse fails the commit`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let card = WireClient.file("README.md", "---\nwidget: 3\n---\n")
      #expect(try await client.commit("acme/m", [card]).status == 400)
      let check = try await client.send(
        "POST", "/api/validate-yaml",
        json: ["content": "---\nlicense: mit\nbase_model: [/tmp/x]\n---\n", "repoType": "model"])
      #expect(check.status == 400)
      #expect(
        check.json["errors"]?.array?.first?["message"]?.string?.contains("\"base_model[0]\"")
          == true)
    }
  }

  @Test func `Two writers at once both get their commit in`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      try await withThrowingTaskGroup { group in
        for number in 0..<8 {
          group.addTask {
            try await client.commit("acme/m", [WireClient.file("f\(number)", "x")]).status
          }
        }
        for try await status in group { #expect(status == 200) }
      }
      let tree = try await client.send("GET", "/api/models/acme/m/tree/main").json.array
      #expect(tree?.count == 9)
    }
  }

  @Test func `A pull request is merged unless main has moved on in its files`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let base: JSON = ["title": "A change", "description": "", "pullRequest": true]
      for number in 1...2 {
        let opened = try await client.send("POST", "/api/models/acme/m/discussions", json: base)
        #expect(opened.json["num"]?.int == number)
        let file = WireClient.file("a", "from \(number)")
        #expect(
          try await client.commit("acme/m", to: "refs%2Fpr%2F\(number)", [file]).status == 200)
      }
      let path = "/api/models/acme/m/discussions"
      #expect(try await client.send("POST", path + "/1/merge", json: [:]).status == 200)
      #expect(try await client.send("POST", path + "/2/merge", json: [:]).status == 409)
      #expect(try await client.send("GET", "/acme/m/resolve/main/a").text == "from 1")
      #expect(try await client.send("GET", path + "/1").json["status"]?.string == "merged")
      let refs = try await client.send("GET", "/api/models/acme/m/refs?include_prs=1").json
      #expect(refs["pullRequests"]?.array?.count == 2)
    }
  }
}
