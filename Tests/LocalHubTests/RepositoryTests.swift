// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Hub
import LocalHub
import Storage
internal import SystemPackage
import TestSupport
import Testing

@Suite struct RepositoryTests {
  @Test func `A new repository has a first commit, and cannot be made twice`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      let created = try await client.create("acme/m")
      #expect(created.status == 200)
      #expect(created.json["url"]?.string == hub.url + "/acme/m")
      let again = try await client.create("acme/m")
      #expect(again.status == 409)
      #expect(again.json["error"]?.string == "You already created this model repo")
      let info = try await client.send("GET", "/api/models/acme/m").json
      #expect(info["sha"]?.string?.count == 40)
      #expect(info["siblings"]?.array?.first?["rfilename"]?.string == ".gitattributes")
    }
  }

  @Test(arguments: ["../x", "a--b", ".hidden", "x.git", "", "a/b/c", "a b"])
  func `An invalid name is refused`(_ name: String) async throws {
    try await HubFixture.withHub { hub in
      let reply = try await WireClient(hub.url).send(
        "POST", "/api/repos/create", json: ["name": .string(name), "organization": "acme"])
      #expect(reply.status == 400)
    }
  }

  @Test func `A moved repository leads to its new name`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/old")
      let move = try await client.send(
        "POST", "/api/repos/move", json: ["fromRepo": "acme/old", "toRepo": "acme/new"])
      #expect(move.status == 200)
      let reply = try await client.send("GET", "/acme/old/resolve/main/.gitattributes?download=1")
      #expect(reply.status == 307)
      #expect(reply["Location"] == "/acme/new/resolve/main/.gitattributes?download=1")
      _ = try await client.create("acme/old")
      #expect(try await client.send("GET", "/api/models/acme/old").status == 200)
    }
  }

  @Test func `A deleted repository is gone`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let body: JSON = ["name": "m", "organization": "acme"]
      #expect(try await client.send("DELETE", "/api/repos/delete", json: body).status == 200)
      #expect(try await client.send("DELETE", "/api/repos/delete", json: body).status == 404)
      let reply = try await client.send("GET", "/api/models/acme/m")
      #expect(reply.status == 404)
      #expect(reply["X-Error-Code"] == "RepoNotFound")
    }
  }

  @Test func `Nobody learns from the hub which private repositories exist`() async throws {
    let tokens = [
      AccessToken(user: "ann", text: "hf_ann", role: .write),
      AccessToken(user: "eve", text: "hf_eve", role: .write, namespaces: []),
    ]
    try await HubFixture.withHub(tokens: tokens) { hub in
      let ann = WireClient(hub.url, token: "hf_ann")
      let body: JSON = ["name": "m", "organization": "acme", "visibility": "private"]
      #expect(try await ann.send("POST", "/api/repos/create", json: body).status == 200)
      #expect(try await ann.send("GET", "/api/models/acme/m").status == 200)
      for path in ["/api/models/acme/m", "/api/models/acme/none", "/acme/m/resolve/main/x"] {
        let anonymous = try await WireClient(hub.url).send("GET", path)
        #expect(anonymous.status == 401)
        #expect(anonymous["X-Error-Code"] == "RepoNotFound")
        let eve = try await WireClient(hub.url, token: "hf_eve").send("GET", path)
        #expect(eve.status == 404)
      }
      let wrong = try await WireClient(hub.url, token: "hf_no").send("GET", "/api/models/acme/m")
      #expect(wrong.status == 401)
      #expect(wrong.json["error"]?.string == "Invalid credentials in Authorization header")
      let listed = try await WireClient(hub.url).send("GET", "/api/models?search=m").json
      #expect(listed.array?.isEmpty == true)
    }
  }

  @Test func `Roles limit what a token may do`() async throws {
    let tokens = [
      AccessToken(user: "ann", text: "hf_ann", role: .write, namespaces: ["acme"]),
      AccessToken(user: "bob", text: "hf_bob", role: .read),
    ]
    try await HubFixture.withHub(tokens: tokens) { hub in
      let ann = WireClient(hub.url, token: "hf_ann")
      let bob = WireClient(hub.url, token: "hf_bob")
      #expect(try await ann.create("acme/m").status == 200)
      #expect(try await ann.create("other/m").status == 403)
      #expect(try await bob.create("acme/n").status == 403)
      #expect(try await WireClient(hub.url).create("acme/n").status == 401)
      #expect(try await bob.commit("acme/m", [WireClient.file("a", "a")]).status == 403)
      let proposal = try await bob.commit(
        "acme/m", query: "?create_pr=1", [WireClient.file("a", "a")])
      #expect(proposal.json["pullRequestUrl"]?.string?.hasSuffix("/discussions/1") == true)
      // Whoever has proposed something asks how to send it first, and may go on with it.
      let files: JSON = ["files": [["path": "b", "size": 1, "sample": "Yg=="]]]
      for (revision, status) in [
        ("main?create_pr=1", 200), ("refs%2Fpr%2F1", 200), ("main", 403), ("1", 403),
      ] {
        let asked = try await bob.send(
          "POST", "/api/models/acme/m/preupload/\(revision)", json: files)
        #expect(asked.status == status)
      }
      let more = try await bob.commit(
        "acme/m", to: "refs%2Fpr%2F1", [WireClient.file("b", "b")])
      #expect(more.status == 200)
    }
  }

  @Test func `A gated repository shows itself but not its files`() async throws {
    let tokens = [
      AccessToken(user: "ann", text: "hf_ann", role: .write),
      AccessToken(user: "bob", text: "hf_bob", role: .read),
    ]
    try await HubFixture.withHub(tokens: tokens) { hub in
      let ann = WireClient(hub.url, token: "hf_ann")
      _ = try await ann.create("acme/m")
      let set = try await ann.send("PUT", "/api/models/acme/m/settings", json: ["gated": "manual"])
      #expect(set.status == 200)
      let path = "/acme/m/resolve/main/.gitattributes"
      let anonymous = try await WireClient(hub.url).send("GET", path)
      let bob = try await WireClient(hub.url, token: "hf_bob").send("GET", path)
      #expect(anonymous.status == 401 && bob.status == 403)
      #expect(anonymous["X-Error-Code"] == "GatedRepo" && bob["X-Error-Code"] == "GatedRepo")
      #expect(try await ann.send("GET", path).status == 200)
      let info = try await WireClient(hub.url).send("GET", "/api/models/acme/m")
      #expect(info.json["gated"]?.string == "manual")
    }
  }

  @Test func `A read-only hub changes nothing`() async throws {
    try await HubFixture.withHub(HubFixture.defaults.setting(\.isReadOnly, to: true)) { hub in
      let reply = try await WireClient(hub.url).create("acme/m")
      #expect(reply.status == 403)
    }
  }

  @Test func `A second server does not touch a folder in use`() async throws {
    try await HubFixture.withHub { hub in
      let second = HubServer(HubServer.Configuration(root: hub.root))
      await #expect(throws: HubServer.Failure.folderInUse(hub.root)) { try await second.start() }
    }
  }

  @Test func `A restart keeps everything`() async throws {
    let folder = try TemporaryFolder()
    let configuration = HubServer.Configuration(root: folder.path)
    let first = HubServer(configuration)
    let client = WireClient(try await first.start())
    _ = try await client.create("acme/m")
    let commit = try await client.commit("acme/m", [WireClient.file("a.txt", "hello")])
    _ = try await client.send("POST", "/api/models/acme/m/tag/main", json: ["tag": "v1"])
    await first.stop()

    let second = HubServer(configuration)
    let again = WireClient(try await second.start())
    #expect(try await again.head("acme/m") == commit.json["commitOid"]?.string)
    #expect(try await again.send("GET", "/acme/m/resolve/v1/a.txt").text == "hello")
    await second.stop()
  }

  @Test func `A folder becomes a repository`() async throws {
    try await HubFixture.withHub { hub in
      let source = hub.root.appending("source")
      try FileSystem.createFolder(source.appending("sub"))
      try FileSystem.write("{}", to: source.appending("config.json"))
      try FileSystem.write([0, 1, 2], to: source.appending("sub").appending("w.safetensors"))
      let id = try RepoID("acme/seed")
      let commit = try await hub.server.importFolder(source, as: id, message: "seed")
      let again = try await hub.server.importFolder(source, as: id, message: "seed")
      #expect(commit == again)
      let tree = try await WireClient(hub.url)
        .send("GET", "/api/models/acme/seed/tree/\(commit)/sub").json.array
      #expect(tree?.first?["lfs"]?["size"]?.int == 3)
      #expect(tree?.count == 1)
    }
  }
}
