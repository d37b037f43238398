// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Publishing
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

/// A hub with faults that can be switched on, and a model folder to publish on it.
struct PublicationScene: Sendable {
  let hub: HubFixture
  let faults: Faults
  /// What is published.
  let model: FilePath
  let state: FilePath

  /// Two large files, one of which goes in parts, and two small ones.
  static let contents: [String: [UInt8]] = [
    "README.md": Array("---\nlicense: mit\n---\n# One\n".utf8),
    "config.json": Array(#"{"model_type":"llama"}"#.utf8),
    "model.safetensors": (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) },
    "small.bin": Array(repeating: 7, count: 1000),
  ]
  static let largeBytes = 101_000

  static func with(
    tokens: [AccessToken] = [], isolation: isolated (any Actor)? = #isolation,
    _ body: (PublicationScene) async throws -> Void
  ) async throws {
    let faults = Faults()
    let configuration = HubFixture.defaults.setting(\.multipartThreshold, to: 30_000)
      .setting(\.partSize, to: 30_000)
    try await withTemporaryFolder { folder in
      try await HubFixture.withHub(configuration, tokens: tokens, faults: faults) { hub in
        let scene = PublicationScene(
          hub: hub, faults: faults, model: folder.appending("model"),
          state: folder.appending("state"))
        try FileSystem.createFolder(scene.model)
        for (name, bytes) in contents { try scene.write(bytes, to: name) }
        try await body(scene)
      }
    }
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try FileSystem.write(bytes, to: model.appending(name))
  }

  func repository(_ id: String = "demo/one", token: String? = nil) throws -> Repository {
    var configuration = HubConfiguration(
      endpoint: try #require(WebURL(hub.url)), token: token.flatMap { Token($0) },
      userAgent: "hubmerge/test")
    configuration.retry.firstDelay = 0.005
    configuration.retry.longestDelay = 0.01
    configuration.commitLimits.operations = 1000
    return try HubClient(configuration).model(id)
  }

  func publication(_ change: (inout Publication.Terms) -> Void = { _ in }) throws -> Publication {
    var terms = Publication.Terms(message: CommitMessage("Add"))
    change(&terms)
    return Publication(to: try repository(), terms, state: state)
  }

  /// The paths and digests that a revision holds, but for the file that hubs add.
  func published(_ revision: Revision = .main) async throws -> [String: String] {
    let repository = try repository()
    let tree = try await repository.tree(repository.info(revision).commit)
    return Dictionary(
      uniqueKeysWithValues: tree.files.filter { $0.path != ".gitattributes" }
        .map { ($0.path, $0.etag) })
  }

  /// What `published` is when the model is there.
  var expected: [String: String] {
    Self.contents.reduce(into: [:]) { digests, file in
      let isLarge = file.key.hasSuffix(".safetensors") || file.key.hasSuffix(".bin")
      digests[file.key] = isLarge ? Digest.sha256(file.value).hex : Digest.gitBlob(file.value).hex
    }
  }

  /// Removes a large file from the hub's store, as its clean-up does with what no commit names.
  func lose(_ name: String) throws {
    let digest = Digest.sha256(try FileSystem.read(model.appending(name))).hex
    try FileSystem.remove(
      hub.root.appending("blobs").appending(String(digest.prefix(2))).appending(digest))
  }
}
