// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import LocalHub
import TestSupport
import Testing

@Suite struct HTTPTests {
  @Test func `Every reply carries a request id, and an unknown path is 501`() async throws {
    try await HubFixture.withHub { hub in
      let reply = try await WireClient(hub.url).send("GET", "/api/spaces")
      #expect(reply.status == 501)
      #expect(reply["X-Request-Id"]?.isEmpty == false)
    }
  }

  @Test func `A connection serves several requests`() async throws {
    try await HubFixture.withHub { hub in
      let one = "GET /api/whoami-v2 HTTP/1.1\r\nHost: x\r\n"
      let bytes = try await WireClient(hub.url)
        .exchange(Array((one + "\r\n" + one + "Connection: close\r\n\r\n").utf8))
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(text.split(separator: "HTTP/1.1 200 OK", omittingEmptySubsequences: false).count == 3)
    }
  }

  @Test func `A client that waits for 100 Continue gets it`() async throws {
    try await HubFixture.withHub { hub in
      let request = """
        POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 14\r
        Connection: close\r\n\r\n{"content":""}
        """
      let bytes = try await WireClient(hub.url).exchange(Array(request.utf8))
      #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 100 Continue\r\n"))
      #expect(try WireClient.parse(bytes).status == 200)
    }
  }

  @Test func `A client that sends its head too slowly is cut off`() async throws {
    try await HubFixture.withHub(HubFixture.defaults.setting(\.headTimeout, to: .milliseconds(200)))
    { hub in
      let start = ContinuousClock.now
      let bytes = try await WireClient(hub.url).exchange(Array("GET / HTTP/1.1\r\nX-A: b".utf8))
      #expect(bytes.isEmpty)
      #expect(ContinuousClock.now - start < .seconds(10))
    }
  }

  @Test func `A client that stops inside its body is cut off`() async throws {
    try await HubFixture.withHub(HubFixture.defaults.setting(\.idleTimeout, to: .milliseconds(200)))
    { hub in
      let request = "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
      let bytes = try await WireClient(hub.url).exchange(Array(request.utf8))
      #expect(bytes.isEmpty)
    }
  }

  @Test func `A body beyond its limit is refused`() async throws {
    try await HubFixture.withHub { hub in
      let body = [UInt8](repeating: 0x20, count: 2 << 20)
      let reply = try await WireClient(hub.url).send("POST", "/api/repos/create", body: body)
      #expect(reply.status == 413)
    }
  }

  @Test(arguments: ["garbage\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
  func `Nonsense is answered with 400`(_ request: String) async throws {
    try await HubFixture.withHub { hub in
      let bytes = try await WireClient(hub.url).exchange(Array(request.utf8))
      #expect(try WireClient.parse(bytes).status == 400)
    }
  }

  @Test func `A body that is no HTTP is answered once, and the next client is served`() async throws
  {
    try await HubFixture.withHub { hub in
      let request = """
        POST /api/repos/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n
        """
      let bytes = try await WireClient(hub.url).exchange(Array(request.utf8))
      let replies = String(decoding: bytes, as: UTF8.self).split(
        separator: "HTTP/1.1", omittingEmptySubsequences: true)
      #expect(replies.count == 1)
      #expect(try WireClient.parse(bytes).status == 400)
      #expect(try await WireClient(hub.url).send("GET", "/api/models").status == 200)
    }
  }

  @Test func `Connections beyond the limit are closed`() async throws {
    try await HubFixture.withHub(HubFixture.defaults.setting(\.connectionLimit, to: 0)) { hub in
      let request = "GET /api/whoami-v2 HTTP/1.1\r\nHost: x\r\n\r\n"
      let bytes = try await WireClient(hub.url).exchange(Array(request.utf8))
      #expect(bytes.isEmpty)
    }
  }
}
