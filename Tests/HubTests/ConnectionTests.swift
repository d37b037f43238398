// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Hub
import Synchronization
import Testing

@Suite struct ConnectionTests {
  private let events = EventLog()

  private func client(
    _ server: ScriptedServer, token: String? = "hf_secret", retries: Int = 5
  ) -> HubClient {
    var configuration = HubConfiguration.testing(server.origin, token: token, retries: retries)
    configuration.retry.longestRequestedDelay = 0
    return HubClient(configuration) { [events] in events.add($0) }
  }

  private func failure(_ body: () async throws -> some Any) async -> HubError? {
    await #expect(throws: HubError.self) { _ = try await body() }
  }

  private static let info =
    #"{"id":"a/b","sha":"1234567890123456789012345678901234567890"}"#

  @Test func `a redirect on the hub keeps the token, one away from it loses it`() async throws {
    let other = ScriptedServer { _ in .json(Self.info) }
    let there = other.origin
    let server = ScriptedServer { request in
      request.path.hasSuffix("moved/revision/main")
        ? .redirect("\(there)/elsewhere")
        : .redirect("/api/models/x/moved/revision/main", status: 307)
    }
    _ = try await client(server).model("x/old").info()
    #expect(
      server.requests.map { $0.headers["authorization"] } == [
        "Bearer hf_secret", "Bearer hf_secret",
      ])
    #expect(other.requests.map { $0.headers["authorization"] } == [nil])
    #expect(other.requests.map { $0.headers["user-agent"] } == ["hubmerge/test"])
  }

  @Test func `what is sent to the hub does not follow a redirect to elsewhere`() async throws {
    let other = ScriptedServer { _ in .json("{}") }
    let there = other.origin
    let server = ScriptedServer { _ in .redirect("\(there)/", status: 307) }
    let error = await failure { try await client(server).createRepository(try RepoID("a/b")) }
    guard case .redirectRefused = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(other.requests.isEmpty)
  }

  @Test func `redirects in a circle end`() async throws {
    let server = ScriptedServer { .redirect($0.path) }
    let error = await failure { try await client(server).model("a/b").info() }
    #expect(error?.kind == .redirectRefused("there are too many of them"))
    #expect(server.requests.count == 10)
  }

  @Test func `a next page on another server is refused`() async throws {
    let other = ScriptedServer { _ in .json("[]") }
    let there = other.origin
    let server = ScriptedServer { _ in
      .json("[]", [("Link", "<\(there)/next>; rel=\"next\"")])
    }
    let commit = try #require(CommitID("1234567890123456789012345678901234567890"))
    let error = await failure { try await client(server).model("a/b").tree(commit) }
    #expect(error?.kind == .unexpectedReply("the next page is on another server"))
    #expect(other.requests.isEmpty)
  }

  @Test func `an unsafe path in a listing is refused`() async throws {
    let server = ScriptedServer { _ in
      .json(#"[{"type":"file","path":"../x","oid":"aa","size":1}]"#)
    }
    let commit = try #require(CommitID("1234567890123456789012345678901234567890"))
    let error = await failure { try await client(server).model("a/b").tree(commit) }
    #expect(error?.kind == .unsafePath("../x"))
  }

  @Test func `a busy server is asked again, and the waiting is told`() async throws {
    let replies = Countdown(2)
    let server = ScriptedServer { _ in
      replies.next() ? .init(status: 503) : .json(Self.info)
    }
    _ = try await client(server).model("a/b").info()
    #expect(server.requests.count == 3)
    #expect(events.waits.map(\.reason) == [.busy(status: 503), .busy(status: 503)])
  }

  @Test func `a quota that is used up for long is reported at once`() async throws {
    let server = ScriptedServer { _ in
      .json("{}", status: 429, [("RateLimit", "\"api\";r=0;t=55")])
    }
    let error = await failure { try await client(server).model("a/b").info() }
    #expect(error?.kind == .rateLimited(seconds: 56))
    #expect(error?.isTemporary == true)
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [
    (404, "RevisionNotFound", "", HubError.Kind.revisionNotFound),
    (404, "EntryNotFound", "", .entryNotFound),
    (403, "GatedRepo", "", .gated),
    (404, "RepoNotFound", "", .repositoryNotFoundOrPrivate),
    (401, "", "Repository not found", .repositoryNotFoundOrPrivate),
    (401, "", "Invalid credentials in Authorization header", .invalidToken),
    (403, "", "no", .forbidden), (402, "", "pay", .forbidden), (409, "", "", .conflict),
    (412, "", "", .staleParent), (413, "", "", .payloadTooLarge), (400, "", "", .badRequest),
    (404, "", "", .notFound), (501, "", "", .server),
  ])
  func `a failed reply has a name`(
    _ status: Int, _ code: String, _ message: String, _ kind: HubError.Kind
  ) async throws {
    let server = ScriptedServer { _ in
      .json(
        #"{"error":"\#(message)"}"#, status: status,
        [("X-Error-Code", code), ("X-Request-Id", "r-1")])
    }
    let error = await failure { try await client(server).model("a/b").info() }
    #expect(error?.kind == kind)
    #expect(error?.exchange?.status == status)
    #expect(error?.exchange?.requestID == "r-1")
    #expect(error?.exchange?.message == (message.isEmpty ? nil : message))
  }

  @Test(arguments: [
    #"{"error":"a\nb"}"#, #"{"error":["a","b"]}"#, #"{"error":"x","error_description":"a\nb"}"#,
    #"{"errors":[{"message":"a"},{"message":"b"}],"warnings":[]}"#, "a\nb",
  ])
  func `the server's words are found in every shape`(_ body: String) async throws {
    let server = ScriptedServer { _ in .json(body, status: 400) }
    let error = await failure { try await client(server).model("a/b").info() }
    #expect(error?.exchange?.message == "a\nb")
  }

  @Test func `a token that the server repeats is not shown`() async throws {
    let server = ScriptedServer { _ in .json(#"{"error":"no hf_secret here"}"#, status: 403) }
    let error = await failure { try await client(server).model("a/b").info() }
    #expect(error?.exchange?.message == "no <token> here")
    #expect(!"\(error!)".contains("hf_secret"))
  }

  @Test func `a reply that is not JSON is no surprise`() async throws {
    let server = ScriptedServer { _ in .json("<html>") }
    let error = await failure { try await client(server).model("a/b").info() }
    #expect(error?.kind == .unexpectedReply("it is not JSON"))
  }

  @Test func `offline nothing is sent`() async throws {
    let server = ScriptedServer { _ in .json(Self.info) }
    var configuration = HubConfiguration.testing(server.origin)
    configuration.isOffline = true
    let error = await failure { try await HubClient(configuration).model("a/b").info() }
    #expect(error?.kind == .offline)
    #expect(server.requests.isEmpty)
  }

  @Test func `a server that is not there is unreachable`() async throws {
    let error = await failure {
      try await HubClient(.testing("http://127.0.0.1:1", retries: 1)).model("a/b").info()
    }
    guard case .unreachable(host: "127.0.0.1", _) = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `a cancelled request ends at once`() async throws {
    let hasAnswered = Flag()
    let server = ScriptedServer { _ in
      pause(15)
      hasAnswered.set()
      return .json(Self.info)
    }
    let task = Task { try await client(server).model("a/b").info() }
    try await Task.sleep(for: .milliseconds(100))
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(!hasAnswered.isSet)
  }

  @Test func `a warning of the hub is told once for each topic`() async throws {
    let server = ScriptedServer { _ in .json(Self.info, [("X-HF-Warning", "old; please update")]) }
    let client = client(server)
    for _ in 0..<3 { _ = try await client.model("a/b").info() }
    let warnings = events.all.filter { if case .warning = $0 { true } else { false } }
    #expect(warnings.count == 1)
  }

  // MARK: Repositories

  @Test func `a new repository is described as the hub wants it`() async throws {
    let server = ScriptedServer { _ in .json(#"{"url":"x"}"#) }
    let isNew = try await client(server).createRepository(
      try RepoID("acme/x", kind: .dataset), visibility: .private)
    #expect(isNew)
    #expect(
      server.requests.map(\.text) == [
        #"{"name":"x","organization":"acme","type":"dataset","visibility":"private"}"#
      ])
  }

  @Test func `one that exists is as good, unless a new one is wanted`() async throws {
    let server = ScriptedServer { _ in .json(#"{"error":"exists"}"#, status: 409) }
    #expect(try await client(server).createRepository(try RepoID("a/b")) == false)
    let error = await failure {
      try await client(server).createRepository(try RepoID("a/b"), existOK: false)
    }
    #expect(error?.kind == .repositoryExists)
  }

  @Test(arguments: [401, 403])
  func `a token that may not create is enough if the repository can be seen`(
    _ status: Int
  ) async throws {
    let server = ScriptedServer { request in
      request.method == "POST" ? .json("{}", status: status) : .json(Self.info)
    }
    #expect(try await client(server).createRepository(try RepoID("a/b")) == false)
    let blind = ScriptedServer { _ in .json("{}", status: status) }
    let error = await failure { try await client(blind).createRepository(try RepoID("a/b")) }
    #expect(error?.exchange?.method == "POST")
  }

  @Test func `a card is rejected with the hub's reasons`() async throws {
    let server = ScriptedServer { _ in
      .json(#"{"errors":[{"message":"one"},{"message":"two"}],"warnings":[]}"#, status: 400)
    }
    let error = await failure { try await client(server).validateCard("---\n---\n") }
    #expect(error?.kind == .cardRejected(["one", "two"]))
  }

  @Test func `a server without card validation does not stop anything`() async throws {
    let server = ScriptedServer { _ in .init(status: 404) }
    #expect(try await client(server).validateCard("x").wasChecked == false)
  }
}

/// Whether something has happened, told from another thread.
private final class Flag: Sendable {
  private let flag = Atomic(false)
  var isSet: Bool { flag.load(ordering: .acquiring) }
  func set() { flag.store(true, ordering: .releasing) }
}
