// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Hub
import Testing

@Suite struct TrustedPublisherTests {
  private static let info = #"{"id":"a/b","sha":"1234567890123456789012345678901234567890"}"#

  /// A hub that trades identities for the tokens `hf_jwt_1`, `hf_jwt_2`, …; the last one is good.
  private func hub(
    lifetime: Int = 3600, isDead: @escaping @Sendable (String) -> Bool = { _ in false }
  )
    -> ScriptedServer
  {
    let count = Counter()
    return ScriptedServer { request in
      if request.path == "/oauth/token" {
        return .json(
          #"{"access_token":"hf_jwt_\#(count.next())","token_type":"bearer","#
            + #""expires_in":\#(lifetime)}"#)
      }
      let token = request.headers["authorization"] ?? ""
      return isDead(token)
        ? .json(#"{"error":"Invalid credentials in Authorization header"}"#, status: 401)
        : .json(Self.info)
    }
  }

  private func ci() -> ScriptedServer {
    let count = Counter()
    return ScriptedServer { _ in .json(#"{"value":"identity-\#(count.next())"}"#) }
  }

  private func client(_ hub: ScriptedServer, _ identity: TrustedPublisher.Identity) -> HubClient {
    var configuration = HubConfiguration.testing(hub.origin, token: "hf_stored")
    configuration.trustedPublisher = TrustedPublisher(resource: "a/b", identity: identity)
    return HubClient(configuration)
  }

  private func gitHub(_ ci: ScriptedServer) throws -> TrustedPublisher.Identity {
    .gitHubActions(
      url: try #require(WebURL("\(ci.origin)/token?api-version=2")),
      token: try #require(Token("ci_secret")))
  }

  @Test func `a job's identity becomes a token of the hub, once for many requests`() async throws {
    let (hub, ci) = (hub(), ci())
    let client = try client(hub, gitHub(ci))
    async let first = client.model("a/b").info()
    async let second = client.model("a/b").info()
    _ = try await (first, second, client.model("a/b").info())
    #expect(
      ci.requests.map { "\($0.path)?\($0.query)" } == [
        "/token?api-version=2&audience=http%3A%2F%2F127.0.0.1%3A\(hub.port)"
      ])
    #expect(ci.requests[0].headers["authorization"] == "Bearer ci_secret")
    let exchanges = hub.requests.filter { $0.path == "/oauth/token" }
    #expect(
      exchanges.map(\.text) == [
        #"{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","#
          + #""subject_token_type":"urn:ietf:params:oauth:token-type:id_token","#
          + #""subject_token":"identity-1","resource":"a/b"}"#
      ])
    #expect(exchanges[0].headers["authorization"] == nil)
    let others = hub.requests.filter { $0.path != "/oauth/token" }
    #expect(others.count == 3)
    #expect(others.allSatisfy { $0.headers["authorization"] == "Bearer hf_jwt_1" })
  }

  @Test func `a token that is about to end is replaced before`() async throws {
    let (hub, ci) = (hub(lifetime: 200), ci())
    let client = try client(hub, gitHub(ci))
    for _ in 0..<2 { _ = try await client.model("a/b").info() }
    #expect(
      hub.requests.compactMap { $0.headers["authorization"] } == [
        "Bearer hf_jwt_1", "Bearer hf_jwt_2",
      ])
    #expect(ci.requests.count == 2)
  }

  @Test func `a token that dies early is replaced and the request made again`() async throws {
    let (hub, ci) = (hub { $0 == "Bearer hf_jwt_1" }, ci())
    _ = try await client(hub, gitHub(ci)).model("a/b").info()
    #expect(
      hub.requests.compactMap { $0.headers["authorization"] } == [
        "Bearer hf_jwt_1", "Bearer hf_jwt_2",
      ])
  }

  @Test func `an identity that was handed over is traded once`() async throws {
    let hub = hub(lifetime: 10) { _ in true }
    let client = client(hub, .token(try #require(Token("given"))))
    for _ in 0..<2 {
      let error = await #expect(throws: HubError.self) { try await client.model("a/b").info() }
      #expect(error?.kind == .invalidToken)
    }
    #expect(hub.requests.count { $0.path == "/oauth/token" } == 1)
  }

  @Test func `a refusal is an error, and nothing else is tried`() async throws {
    let hub = ScriptedServer { _ in
      .json(
        #"{"error":"invalid_grant","error_description":"no publisher for given"}"#, status: 400)
    }
    let client = client(hub, .token(try #require(Token("given"))))
    let error = await #expect(throws: HubError.self) { try await client.model("a/b").info() }
    #expect(error?.kind == .publisherRefused(resource: "a/b"))
    #expect(error?.exchange?.message == "no publisher for <token>")
    #expect(hub.requests.map(\.path) == ["/oauth/token"])
  }

  @Test func `an identity is not taken elsewhere by a redirect`() async throws {
    let other = ScriptedServer { _ in .json("{}") }
    let there = other.origin
    let hub = ScriptedServer { _ in .redirect("\(there)/", status: 307) }
    let client = client(hub, .token(try #require(Token("given"))))
    await #expect(throws: HubError.self) { try await client.model("a/b").info() }
    #expect(other.requests.isEmpty)
  }
}
