// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Storage

/// What the tests do again and again with a hub.
extension WireClient {
  func create(_ name: String) async throws -> Reply {
    let parts = name.split(separator: "/").map(String.init)
    return try await send(
      "POST", "/api/repos/create",
      json: ["name": .string(parts[1]), "organization": .string(parts[0])])
  }

  func commit(
    _ repo: String, to revision: String = "main", header: JSON = ["summary": "a change"],
    query: String = "", _ operations: [(key: String, value: JSON)]
  ) async throws -> Reply {
    let lines: [JSON] =
      [["key": "header", "value": header]]
      + operations.map { ["key": .string($0.key), "value": $0.value] }
    let body = lines.map { $0.serialized(.compact) + "\n" }.joined()
    return try await send(
      "POST", "/api/models/\(repo)/commit/\(revision)\(query)",
      headers: ["Content-Type: application/x-ndjson"], body: Array(body.utf8))
  }

  static func file(_ path: String, _ text: String) -> (key: String, value: JSON) {
    ("file", ["path": .string(path), "content": .string(text), "encoding": "utf-8"])
  }

  static func large(_ path: String, _ content: [UInt8]) -> (key: String, value: JSON) {
    (
      "lfsFile",
      [
        "path": .string(path), "algo": "sha256", "oid": .string(Digest.sha256(content).hex),
        "size": .int(content.count),
      ]
    )
  }

  /// What the hub says to the wish to upload an object.
  func batch(_ repo: String, _ content: [UInt8]) async throws -> Reply {
    try await send(
      "POST", "/\(repo).git/info/lfs/objects/batch",
      json: [
        "operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256",
        "objects": [
          ["oid": .string(Digest.sha256(content).hex), "size": .int(content.count)]
        ],
      ])
  }

  /// The head of a branch.
  func head(_ repo: String) async throws -> String {
    try await send("GET", "/api/models/\(repo)").json["sha"]?.string ?? ""
  }
}
