// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import LocalHub
import TestSupport
import Testing

@Suite struct FaultTests {
  private static let path = "/api/models/acme/m"

  /// A server that takes rules, and a client of a repository on it.
  private func withFaults(_ body: (WireClient) async throws -> Void) async throws {
    try await HubFixture.withHub(faults: Faults()) { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      try await body(client)
    }
  }

  @Test func `Rules are sent while the server runs, counted and taken back`() async throws {
    try await withFaults { client in
      let rules = "status=503 header=Retry-After:1 path=/models/ skip=1\nlimited=7 method=post\n"
      let added = try await client.send("POST", "/api/faults", body: Array(rules.utf8))
      #expect(added.json["rules"]?.int == 3)
      #expect(try await client.send("GET", Self.path).status == 200)
      let hit = try await client.send("GET", Self.path)
      #expect(hit.status == 503)
      #expect(hit["Retry-After"] == "1")
      #expect(try await client.send("GET", Self.path).status == 200)
      #expect(try await client.send("GET", "/api/faults").json["hits"]?.int == 1)
      _ = try await client.send("DELETE", "/api/faults")
      #expect(try await client.create("acme/n").status == 200)
    }
  }

  @Test func `A request may ask for its own fault`() async throws {
    try await withFaults { client in
      for (fault, status) in [
        ("status=418", 418), ("expired-link", 403), ("latency=1ms", 200), ("nonsense", 400),
      ] {
        let reply = try await client.send("GET", Self.path, headers: ["X-Hub-Fault: \(fault)"])
        #expect(reply.status == status)
      }
      #expect(try await client.send("GET", Self.path).status == 200)
    }
  }

  @Test func `A redirect leads where it is told to, and a body comes slowly but whole`()
    async throws
  {
    try await withFaults { client in
      let file = "/acme/m/resolve/main/.gitattributes"
      let moved = try await client.send(
        "GET", file, headers: ["X-Hub-Fault: redirect=http://example.org/x"])
      #expect(moved.status == 302)
      #expect(moved["Location"] == "http://example.org/x")
      let whole = try await client.send("GET", file)
      let slow = try await client.send("GET", file, headers: ["X-Hub-Fault: rate=100000"])
      #expect(slow.body == whole.body)
    }
  }

  @Test(arguments: [
    "", "path=/x", "status=99", "status=x", "latency=5", "latency=61s", "truncate=-1", "header=x",
    "truncate", "wrong-bytes=1", "skip=1",
  ])
  func `A text that is no rule is refused`(_ text: String) throws {
    #expect(throws: InvalidFault.self) { try Faults.rules(text) }
  }

  @Test func `Without faults there is no way to ask for them`() async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      let rule = Array("status=503".utf8)
      #expect(try await client.send("POST", "/api/faults", body: rule).status == 501)
      let reply = try await client.send(
        "GET", "/api/models", headers: ["X-Hub-Fault: status=503"])
      #expect(reply.status == 200)
    }
  }
}
