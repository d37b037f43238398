// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  /// For each file to come: how it is to travel, whether it is unwanted, and what is there already.
  static let preupload = Route(
    .POST, path: "/api/:type/:namespace/:repo/preupload/:rev", access: .read
  ) { exchange in
    try exchange.requireCommitting()
    let repository = try exchange.repository
    let commit = try repository.resolve(try exchange.name("rev"))
    let tree = try repository.tree(commit)
    let body = try exchange.json()
    let files = body["files"]?.array ?? []
    guard files.count <= 1000 else { throw HubFailure.badRequest("Too many files, 1000 at most") }
    func text(_ path: String) throws -> String {
      guard let entry = tree[path], entry.lfs == nil else { return "" }
      return String(decoding: try repository.blobs.read(entry.blob), as: UTF8.self)
    }
    let ignore = GitIgnore(try body["gitIgnore"]?.string ?? text(".gitignore"))
    let attributes = GitAttributes(try body["gitAttributes"]?.string ?? text(".gitattributes"))
    let answers = try files.map { file -> JSON in
      guard let path = file["path"]?.string, let size = file["size"]?.int, size >= 0 else {
        throw HubFailure.badRequest("Each file needs \"path\" and \"size\"")
      }
      let sample = file["sample"]?.string.flatMap { Base64.decoded($0) } ?? []
      let mode = UploadMode(
        path: try RepoPath.check(path), size: size, sample: sample, attributes: attributes,
        largeFrom: exchange.service.configuration.regularFileLimit)
      return .object([
        "path": .string(path), "uploadMode": .string(mode.rawValue),
        "shouldIgnore": .bool(ignore.ignores(path)),
        "oid": tree[path].map { .string($0.blob.hex) },
      ])
    }
    return .json(["files": .array(answers), "commitOid": .string(commit.hex)])
  }
}
