// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import LocalHub
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct FetchCommandTests {
  /// A hub in this process, whose faults can be ordered, with the model demo/one.
  private func withHub(
    tokens: [AccessToken] = [], faults: [Faults.Rule] = [],
    _ body: (_ client: CommandRunner, _ scene: Scene, _ hub: HubFixture) async throws -> Void
  ) async throws {
    try await Scene.with { scene in
      try await HubFixture.withHub(tokens: tokens, faults: Faults(faults)) { hub in
        _ = try await hub.server.importFolder(
          scene.path("a"), as: RepoID("demo/one"), message: "Add")
        try await body(scene.runner.setting("HF_ENDPOINT", to: hub.url), scene, hub)
      }
    }
  }

  @Test func `a rehearsal tells what would come and writes nothing`() async throws {
    try await withHub { client, _, _ in
      let rehearsal = try await client.run("fetch", "demo/one", "--dry-run")
      #expect(rehearsal.status == 0, "\(rehearsal.errors)")
      #expect(rehearsal.output.contains("model.safetensors"), "\(rehearsal.output)")
      #expect(rehearsal.output.contains("to fetch\n"))
      #expect(!FileSystem.exists(client.hubHome))

      _ = try await client.run("fetch", "demo/one", "--include", "*.json")
      let rest = try await client.run("fetch", "demo/one", "--dry-run", "--json")
      let forecast = try #require(try rest.json.array?.first)
      let files = forecast["files"]?.array ?? []
      #expect(files.contains { $0["present"]?.int == $0["bytes"]?.int })
      let missing = files.reduce(0) { $0 + ($1["bytes"]?.int ?? 0) - ($1["present"]?.int ?? 0) }
      #expect(forecast["missing"]?.int == missing)
      #expect(missing > 0)
    }
  }

  @Test func `a folder gets plain files and the notes that huggingface_hub makes`() async throws {
    try await withHub { client, scene, _ in
      let fetch = try await client.run("fetch", "demo/one", "--local-dir", "plain", "--json")
      #expect(fetch.status == 0, "\(fetch.errors)")
      let place = scene.path("plain/model.safetensors")
      #expect(FileSystem.kindWithoutFollowing(place) == .file)
      #expect(try FileSystem.read(place) == FileSystem.read(scene.path("a/model.safetensors")))
      let note = try scene.read("plain/.cache/huggingface/download/model.safetensors.metadata")
      let lines = note.split(separator: "\n")
      #expect(lines.first.map(String.init) == (try fetch.json.array?.first?["commit"]?.string))
      #expect(lines.count == 3 && Double(lines[2]) != nil)
      #expect(try scene.read("plain/.cache/huggingface/.gitignore") == "*")

      let again = try await client.run("fetch", "demo/one", "--local-dir", "plain", "--json")
      let files = try again.json.array?.first?["files"]?.array ?? []
      #expect(!files.isEmpty && files.allSatisfy { $0["reused"]?.bool == true })
    }
  }

  @Test func `offline the cache answers, and tells what it lacks`() async throws {
    try await withHub { client, _, _ in
      let offline = client.setting("HF_HUB_OFFLINE", to: "1")
      let nothing = try await offline.run("fetch", "demo/one")
      #expect(nothing.status == 69, "\(nothing.errors)")
      #expect(nothing.errors.contains("not in the cache"), "\(nothing.errors)")

      _ = try await client.run("fetch", "demo/one", "--include", "*.json")
      let part = try await offline.run("fetch", "demo/one")
      #expect(part.status == 66, "\(part.errors)")
      #expect(part.errors.contains("missing: "), "\(part.errors)")
      #expect(part.errors.contains("model.safetensors"), "\(part.errors)")

      _ = try await client.run("fetch", "demo/one")
      let whole = try await offline.run("fetch", "demo/one", "--json")
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(try whole.json.array?.first?["complete"]?.bool == true)
    }
  }

  @Test func `a hub that is gone does not matter to who has everything`() async throws {
    try await withHub { client, _, hub in
      _ = try await client.run("fetch", "demo/one")
      await hub.server.stop()
      let fetch = try await client.run("fetch", "demo/one", "--json")
      #expect(fetch.status == 0, "\(fetch.errors)")
      #expect(
        try fetch.json.array?.first?["files"]?.array?.allSatisfy { $0["reused"]?.bool == true }
          == true)
    }
  }

  @Test func `a pattern that chooses nothing is told`() async throws {
    try await withHub { client, _, _ in
      let fetch = try await client.run("fetch", "demo/one", "--include", "nothing.json")
      #expect(fetch.status == 0)
      #expect(fetch.errors.contains("has no file \"nothing.json\""), "\(fetch.errors)")
    }
  }

  /// A refusal of the hub and what the user is told.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let name: String
    let fault: Faults.Action
    let status: Int32
    let words: [String]
    var testDescription: String { name }

    static let all = [
      Refusal(
        name: "gated, not logged in",
        fault: .status(401, headers: [("X-Error-Code", "GatedRepo")]), status: 77,
        words: ["demo/one is gated", "accept its conditions at http", "/demo/one", "HF_TOKEN"]),
      Refusal(
        name: "gated, not granted",
        fault: .status(403, headers: [("X-Error-Code", "GatedRepo")]), status: 77,
        words: ["demo/one is gated", "ask for access at http", "/demo/one"]),
      Refusal(
        name: "revision",
        fault: .status(404, headers: [("X-Error-Code", "RevisionNotFound")]), status: 66,
        words: ["no such revision"]),
      Refusal(
        name: "rate limit for long",
        fault: .status(429, headers: [("RateLimit", "\"api\";r=0;t=2000")]), status: 75,
        words: ["rate limit", "2001 s"]),
      Refusal(
        name: "server", fault: .status(501), status: 75,
        words: ["the hub has a problem", "501", "(request local-"]),
    ]
  }

  @Test(arguments: Refusal.all)
  func `what the hub refuses is told with its reason and what to do`(_ refusal: Refusal)
    async throws
  {
    let rule = Faults.Rule(refusal.fault, path: "/revision/", times: 100)
    try await withHub(faults: [rule]) { client, _, _ in
      let fetch = try await client.run("fetch", "demo/one")
      #expect(fetch.status == refusal.status, "\(fetch.errors)")
      for word in refusal.words { #expect(fetch.errors.contains(word), "\(fetch.errors)") }
      #expect(fetch.output == "")
    }
  }

  @Test func `a short rate limit is waited for, visibly`() async throws {
    try await withHub(faults: [Faults.Rule(.rateLimited(seconds: 0), path: "/revision/")]) {
      client, _, _ in
      let fetch = try await client.run("fetch", "demo/one")
      #expect(fetch.status == 0, "\(fetch.errors)")
      #expect(fetch.errors.contains("the hub's rate limit is used up"), "\(fetch.errors)")
    }
  }

  @Test func `private and missing are told as what they may both be`() async throws {
    let owner = AccessToken(user: "demo", text: "hf_owner", role: .write)
    try await withHub(tokens: [owner]) { client, _, _ in
      let fetch = try await client.run("fetch", "demo/none")
      #expect(fetch.status == 66, "\(fetch.errors)")
      #expect(fetch.errors.contains("there is no demo/none, or it is private"), "\(fetch.errors)")
    }
  }

  @Test func `a CI job without an identity is told what it lacks`() async throws {
    try await withHub { client, _, _ in
      let job = client.setting("HF_OIDC_RESOURCE", to: "demo/one")
      let bare = try await job.run("fetch", "demo/one")
      #expect(bare.status == 77)
      #expect(bare.errors.contains("id-token: write"), "\(bare.errors)")
      // An identity of a job is traded for a token, or it ends there: no other token is tried.
      let secret = "identity-of-the-job"
      let known = try await job.setting("HF_OIDC_ID_TOKEN", to: secret)
        .setting("HF_TOKEN", to: "hf_stored").run("fetch", "demo/one", "-vv")
      #expect(known.status != 0)
      #expect(known.errors.contains("/oauth/token"), "\(known.errors)")
      #expect(!known.errors.contains(secret) && !known.errors.contains("hf_stored"))
    }
  }
}
