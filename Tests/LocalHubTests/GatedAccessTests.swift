// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import LocalHub
import TestSupport
import Testing

@Suite struct GatedAccessTests {
  private static let api = "/api/models/acme/m"
  private static let file = "/acme/m/resolve/main/.gitattributes"

  /// A gated repository of ann's; bob may only read, and only what he is let in to.
  private func withGate(
    _ gate: String, _ body: (_ ann: WireClient, _ bob: WireClient) async throws -> Void
  ) async throws {
    let tokens = [
      AccessToken(user: "ann", text: "hf_ann", role: .write, namespaces: ["acme"]),
      AccessToken(user: "bob", text: "hf_bob", role: .read, namespaces: []),
    ]
    try await HubFixture.withHub(tokens: tokens) { hub in
      let ann = WireClient(hub.url, token: "hf_ann")
      _ = try await ann.create("acme/m")
      _ = try await ann.send("PUT", Self.api + "/settings", json: ["gated": .string(gate)])
      try await body(ann, WireClient(hub.url, token: "hf_bob"))
    }
  }

  @Test func `Who asks is let in at once if the gate is automatic`() async throws {
    try await withGate("auto") { _, bob in
      let refused = try await bob.send("GET", Self.file)
      #expect(refused.status == 403)
      #expect(refused["X-Error-Code"] == "GatedRepo")
      #expect(try await bob.send("GET", Self.api + "/auth-check").status == 403)
      let asked = try await bob.send("POST", "/acme/m/ask-access", json: [:])
      #expect(asked.json["status"]?.string == "accepted")
      #expect(try await bob.send("GET", Self.file).status == 200)
      #expect(try await bob.send("GET", Self.api + "/auth-check").status == 200)
    }
  }

  @Test func `Who asks waits for somebody who may write, and can be turned away again`()
    async throws
  {
    try await withGate("manual") { ann, bob in
      let lists = Self.api + "/user-access-request/"
      #expect(
        try await bob.send("POST", "/acme/m/ask-access", json: [:]).json["status"] == "pending")
      #expect(try await bob.send("GET", Self.file).status == 403)
      #expect(try await bob.send("GET", lists + "pending").status == 403)
      let pending = try await ann.send("GET", lists + "pending").json.array ?? []
      #expect(pending.count == 1)
      #expect(pending.first?["user"]?["user"]?.string == "bob")

      let accept: JSON = ["user": "bob", "status": "accepted"]
      #expect(try await ann.send("POST", lists + "handle", json: accept).status == 200)
      #expect(try await ann.send("POST", lists + "handle", json: accept).status == 404)
      #expect(try await bob.send("GET", Self.file).status == 200)
      let reject: JSON = ["requestId": pending.first?["requestId"] ?? .null, "status": "rejected"]
      #expect(try await ann.send("POST", lists + "handle", json: reject).status == 200)
      #expect(try await bob.send("GET", Self.file).status == 403)
      #expect(try await ann.send("GET", lists + "rejected").json.array?.count == 1)
    }
  }

  @Test func `Access is granted to users only`() async throws {
    try await withGate("manual") { ann, bob in
      let grant = Self.api + "/user-access-request/grant"
      let unknown = try await ann.send("POST", grant, json: ["user": "eve"])
      #expect(unknown.status == 404)
      #expect(try await bob.send("POST", grant, json: ["user": "bob"]).status == 403)
      #expect(try await ann.send("POST", grant, json: ["user": "bob"]).status == 200)
      #expect(try await bob.send("GET", Self.file).status == 200)
    }
  }

  @Test func `To name an object of a gated repository is not enough to get it`() async throws {
    try await withGate("manual") { ann, bob in
      let content = Array("weights".utf8)
      let batch = try await ann.batch("acme/m", content).json
      let href = batch["objects"]?.array?.first?["actions"]?["upload"]?["href"]?.string
      #expect(try await WireClient.follow(href ?? "", "PUT", body: content).status == 200)
      let commit = try await ann.commit("acme/m", [WireClient.large("w.bin", content)])
      #expect(commit.status == 200)
      // Another repository of the same hub has to be sent the object too.
      _ = try await ann.create("acme/n")
      let named = try await ann.commit("acme/n", [WireClient.large("w.bin", content)])
      #expect(named.status == 400)
      let again = try await ann.batch("acme/n", content).json
      #expect(again["objects"]?.array?.first?["actions"]?["upload"] != nil)
      let known = try await ann.batch("acme/m", content).json
      #expect(known["objects"]?.array?.first?["actions"] == nil)
      #expect(try await bob.send("GET", "/acme/m/resolve/main/w.bin").status == 403)
    }
  }

  @Test func `A token is also good as a password`() async throws {
    try await withGate("auto") { _, bob in
      var browser = bob
      browser.token = nil
      // "x:hf_ann" and "x:hf_no"
      let good = try await browser.send(
        "GET", Self.file, headers: ["Authorization: Basic eDpoZl9hbm4="])
      #expect(good.status == 200)
      let bad = try await browser.send(
        "GET", Self.file, headers: ["Authorization: Basic eDpoZl9ubw=="])
      #expect(bad.status == 401)
    }
  }
}
