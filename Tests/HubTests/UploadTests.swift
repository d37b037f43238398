// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Storage
import Synchronization
import SystemPackage
import Testing

@testable import Hub

/// A hub that takes one model's uploads and keeps its large files in a store of another origin.
private final class TakingHub: Sendable {
  let store: ScriptedServer
  let hub: ScriptedServer
  static let head = "1234567890123456789012345678901234567890"
  static let next = "abcdef7890123456789012345678901234567890"

  /// - Parameters:
  ///   - partSize: Takes large files in parts of this length.
  ///   - onCommit: Answers a commit in place of the hub; gets the number of those before.
  init(
    partSize: Int? = nil, rejectsFirstPut: Bool = false,
    onCommit: @escaping @Sendable (TakingHub.Commits) -> ScriptedServer.Reply? = { _ in nil }
  ) {
    let refusals = Countdown(rejectsFirstPut ? 1 : 0)
    let store = ScriptedServer { request in
      if refusals.next() { return .init(status: 403) }
      return .init(headers: [("ETag", "\"tag-\(request.path)\"")])
    }
    let origin = store.origin
    self.store = store
    let commits = Commits()
    self.commits = commits
    hub = ScriptedServer { request in
      switch request.path {
      case "/api/validate-yaml": return .json(#"{"errors":[],"warnings":[]}"#)
      case "/api/models/acme/one/preupload/main":
        let files = (try? JSON.parse(request.body))?["files"]?.array ?? []
        let answers = files.map { file in
          let path = file["path"]?.string ?? ""
          let isLarge = path.hasSuffix(".safetensors")
          return JSON.object([
            "path": .string(path), "uploadMode": .string(isLarge ? "lfs" : "regular"),
            "shouldIgnore": .bool(path.hasSuffix(".log")),
            "oid": commits.present[path].map { .string($0) },
          ])
        }
        return .json(JSON.object(["files": .array(answers)]).serialized(.compact))
      case "/acme/one.git/info/lfs/objects/batch":
        let objects = (try? JSON.parse(request.body))?["objects"]?.array ?? []
        let answers = objects.map { object in
          let oid = object["oid"]?.string ?? ""
          let size = object["size"]?.int ?? 0
          if commits.stored.contains(oid) { return JSON.object(["oid": .string(oid)]) }
          var header: [JSON.Member] = [JSON.Member("X-Extra", .string("yes"))]
          if let partSize {
            header = [JSON.Member("chunk_size", .string("\(partSize)"))]
            for part in stride(from: (size - 1) / partSize + 1, to: 0, by: -1) {
              header.append(JSON.Member("0000\(part)", .string("\(origin)/\(oid)/\(part)?sig=1")))
            }
          }
          let href = partSize == nil ? "\(origin)/\(oid)?sig=1" : "/complete"
          let upload = JSON.object(["href": .string(href), "header": .object(header)])
          let verify = JSON.object(["href": .string("https://huggingface.co/verify")])
          return JSON.object([
            "oid": .string(oid), "size": .int(size),
            "actions": .object(["upload": upload, "verify": verify]),
          ])
        }
        return .json(JSON.object(["objects": .array(answers)]).serialized(.compact))
      case "/complete", "/verify": return .json("{}")
      case "/api/models/acme/one/commit/main":
        if let reply = onCommit(commits) { return reply }
        return .json(#"{"commitOid":"\#(Self.next)","commitUrl":"/acme/one/commit/x"}"#)
      case "/api/models/acme/one/revision/main":
        return .json(#"{"sha":"\#(commits.isMade ? Self.next : Self.head)"}"#)
      case "/api/models/acme/one/tree/\(Self.next)", "/api/models/acme/one/tree/\(Self.head)":
        return .json(commits.tree)
      default: return .init(status: 404)
      }
    }
  }

  let commits: Commits

  /// What the tests change while the hub runs.
  final class Commits: Sendable {
    private let values = Mutex(
      (present: [String: String](), stored: Set<String>(), isMade: false, tree: "[]"))
    var present: [String: String] {
      get { values.withLock { $0.present } }
      set { values.withLock { $0.present = newValue } }
    }
    var stored: Set<String> {
      get { values.withLock { $0.stored } }
      set { values.withLock { $0.stored = newValue } }
    }
    var isMade: Bool {
      get { values.withLock { $0.isMade } }
      set { values.withLock { $0.isMade = newValue } }
    }
    var tree: String {
      get { values.withLock { $0.tree } }
      set { values.withLock { $0.tree = newValue } }
    }
  }

  var model: Repository {
    get throws { try HubClient(.testing(hub.origin, token: "hf_secret")).model("acme/one") }
  }

  func requests(_ path: String) -> [ScriptedServer.Request] {
    hub.requests.filter { $0.path == path }
  }

  var commitLines: [[JSON]] {
    requests("/api/models/acme/one/commit/main").map { request in
      request.text.split(separator: "\n").compactMap { try? JSON.parse(Array($0.utf8)) }
    }
  }
}

@Suite struct UploadTests {
  private let weights = noise(10_000)
  private let config = Array(#"{"a":1}"#.utf8)

  private func files(_ contents: [String: [UInt8]]) throws -> [UploadFile] {
    try contents.sorted { $0.key < $1.key }.map { try UploadFile($0.key, .bytes($0.value)) }
  }

  @Test func `small files go into the commit, large ones to the store`() async throws {
    let hub = TakingHub()
    let result = try await hub.model.upload(
      files([
        "config.json": config, "m.safetensors": weights, "x.log": [1], "empty.safetensors": [],
      ]),
      message: CommitMessage("Add", description: "all"))
    #expect(result.commit.hex == TakingHub.next)
    #expect(result.isNewCommit)
    #expect(result.changed == ["config.json", "empty.safetensors", "m.safetensors"])
    #expect(result.ignored == ["x.log"])
    #expect(result.bytesSent == weights.count + config.count)

    let put = try #require(hub.store.requests.first)
    #expect(put.body == weights)
    #expect(put.headers["authorization"] == nil)
    #expect(put.headers["x-extra"] == "yes")
    #expect(put.headers["transfer-encoding"] == nil)
    #expect(hub.requests("/verify").map { $0.headers["authorization"] } == ["Bearer hf_secret"])

    let digest = Digest.sha256(weights).hex
    #expect(
      hub.requests("/api/models/acme/one/commit/main").map(\.text) == [
        """
        {"key":"header","value":{"summary":"Add","description":"all","parentCommit":"\(TakingHub.head)"}}
        {"key":"file","value":{"path":"config.json","content":"eyJhIjoxfQ==","encoding":"base64"}}
        {"key":"file","value":{"path":"empty.safetensors","content":"","encoding":"base64"}}
        {"key":"lfsFile","value":{"path":"m.safetensors","algo":"sha256","oid":"\(digest)","size":10000}}

        """
      ])
  }

  @Test func `a large file goes in parts and is put together`() async throws {
    let hub = TakingHub(partSize: 3000)
    _ = try await hub.model.upload(
      files(["m.safetensors": weights]), message: CommitMessage("Add"))
    let oid = Digest.sha256(weights).hex
    let parts = hub.store.requests.sorted { $0.path < $1.path }
    #expect(parts.map(\.path) == (1...4).map { "/\(oid)/\($0)" })
    #expect(parts.flatMap(\.body) == weights)
    let completion = try #require(hub.requests("/complete").first)
    let tags = (1...4).map { #"{"partNumber":\#($0),"etag":"\"tag-/\#(oid)/\#($0)\""}"# }
    #expect(completion.text == #"{"oid":"\#(oid)","parts":[\#(tags.joined(separator: ","))]}"#)
  }

  @Test func `what the repository holds already makes no commit`() async throws {
    let hub = TakingHub()
    hub.commits.present = [
      "config.json": Digest.gitBlob(config).hex, "m.safetensors": Digest.sha256(weights).hex,
    ]
    let result = try await hub.model.upload(
      files(["config.json": config, "m.safetensors": weights]), message: CommitMessage("Add"))
    #expect(!result.isNewCommit)
    #expect(result.commit.hex == TakingHub.head)
    #expect(result.unchanged == ["config.json", "m.safetensors"])
    #expect(result.bytesSent == 0)
    #expect(hub.commitLines.isEmpty)
    #expect(hub.requests("/acme/one.git/info/lfs/objects/batch").isEmpty)
  }

  @Test func `what the store has is not sent again`() async throws {
    let hub = TakingHub()
    hub.commits.stored = [Digest.sha256(weights).hex]
    let result = try await hub.model.upload(
      files(["m.safetensors": weights]), message: CommitMessage("Add"))
    #expect(result.bytesSent == 0)
    #expect(hub.store.requests.isEmpty)
    #expect(hub.commitLines.count == 1)
  }

  @Test func `one content at two paths is sent once`() async throws {
    let hub = TakingHub()
    _ = try await hub.model.upload(
      files(["a.safetensors": weights, "b.safetensors": weights]), message: CommitMessage("Add"))
    #expect(hub.store.requests.count == 1)
    #expect(hub.commitLines[0].count == 3)
  }

  @Test func `an address that has expired is asked for anew`() async throws {
    let hub = TakingHub(rejectsFirstPut: true)
    _ = try await hub.model.upload(
      files(["m.safetensors": weights]), message: CommitMessage("Add"))
    #expect(hub.requests("/acme/one.git/info/lfs/objects/batch").count == 2)
    #expect(hub.store.requests.last?.body == weights)
  }

  @Test func `a digest that is known is not computed again`() async throws {
    let hub = TakingHub()
    let claimed = Digest.sha256([1, 2, 3])
    _ = try await hub.model.upload(
      [try UploadFile("m.safetensors", .bytes(weights), knownDigest: claimed)],
      message: CommitMessage("Add"))
    #expect(hub.store.requests.map(\.path) == ["/\(claimed)"])
  }

  @Test func `a stale parent is named and nothing is tried again`() async throws {
    let hub = TakingHub { _ in .json(#"{"error":"A commit has happened since"}"#, status: 412) }
    let parent = try #require(CommitID(TakingHub.head))
    let error = await #expect(throws: HubError.self) {
      try await hub.model.upload(
        files(["config.json": config]), message: CommitMessage("Add"), parent: parent)
    }
    #expect(error?.kind == .staleParent)
    #expect(hub.commitLines.count == 1)
    #expect(hub.commitLines[0][0]["value"]?["parentCommit"]?.string == TakingHub.head)
  }

  @Test func `a commit whose reply was lost is not made twice`() async throws {
    let digest = Digest.gitBlob(config).hex
    let hub = TakingHub { commits in
      commits.isMade = true
      commits.tree = #"[{"type":"file","path":"config.json","oid":"\#(digest)","size":7}]"#
      return .init(status: 504)
    }
    let result = try await hub.model.upload(
      files(["config.json": config]), message: CommitMessage("Add"))
    #expect(result.commit.hex == TakingHub.next)
    #expect(hub.commitLines.count == 1)
  }

  @Test func `a commit that failed is made again`() async throws {
    let failures = Countdown(2)
    let hub = TakingHub { _ in failures.next() ? .init(status: 504) : nil }
    let result = try await hub.model.upload(
      files(["config.json": config]), message: CommitMessage("Add"))
    #expect(result.commit.hex == TakingHub.next)
    #expect(hub.commitLines.count == 3)
  }

  @Test func `a folder is walked without what is private to it`() throws {
    let folder = try TemporaryFolder()
    for path in [
      "a.txt", "sub/b.txt", ".git/config", ".cache/huggingface/x", "x.hubmerge.partial", ".y.1.tmp",
      ".gitattributes",
    ] {
      let place = folder.path.pushing(FilePath(path))
      try FileSystem.createFolder(place.removingLastComponent())
      try FileSystem.write(path, to: place)
    }
    let found = try UploadFile.files(in: folder.path, to: "into")
    #expect(found.map(\.path) == ["into/.gitattributes", "into/a.txt", "into/sub/b.txt"])
  }

  @Test func `a file that changes on the way stops the commit`() async throws {
    let folder = try TemporaryFolder()
    let place = folder.path.appending("config.json")
    try FileSystem.write("one", to: place)
    let file = try UploadFile("config.json", .file(place))
    try FileSystem.write("other", to: place)
    let hub = TakingHub()
    await #expect(throws: (any Error).self) {
      try await hub.model.upload([file], message: CommitMessage("Add"))
    }
    #expect(hub.commitLines.isEmpty)
  }

  @Test func `a commit's body reads the same in pieces of any length`() throws {
    let files = try files(["a.txt": noise(100), "b.txt": [], "c.txt": noise(31, seed: 2)])
    let body = CommitBody(
      title: "t", description: "", parent: nil,
      files.map { .add(StagedFile(path: $0.path, content: .regular($0, digest: .gitBlob([])))) }
        + [.delete(path: "old\"name")]
    ).body
    func read(_ step: Int) throws -> [UInt8] {
      try stride(from: 0, to: body.length, by: step).flatMap { offset in
        var bytes = [UInt8](repeating: 0, count: min(step, body.length - offset))
        try bytes.withUnsafeMutableBytes { try body.read($0, offset) }
        return bytes
      }
    }
    let whole = try read(body.length)
    for step in [1, 2, 3, 4, 5, 7, 64] { #expect(try read(step) == whole) }
    #expect(
      String(decoding: whole, as: UTF8.self).hasSuffix(#""value":{"path":"old\"name"}}"# + "\n"))
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{fb}\u{ff}", "w7vDvw=="),
  ])
  func `base64 is that of the standard`(_ text: String, _ expected: String) {
    #expect(Base64.encode(Array(text.utf8)) == Array(expected.utf8))
    #expect(Base64.length(of: text.utf8.count) == expected.utf8.count)
  }
}
