// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// What the Hub says, before an upload, about how it will keep a file.
struct UploadMode: Sendable {
  enum Storage: String, Sendable {
    /// In git itself; sent inside the commit.
    case regular
    /// As a large file; sent to the store before the commit.
    case lfs
  }

  let storage: Storage
  /// Whether the repository's `.gitignore` names it.
  let isIgnored: Bool
  /// The content that the revision holds at that path: git's SHA-1, or SHA-256 of a large file.
  let presentID: String?
}

extension Repository {
  /// Files that one request may ask about.
  private static let groupSize = 256
  /// What of each file the Hub wants to look at.
  private static let sampleSize = 512

  /// How the Hub will keep each file, by path.
  ///
  /// - Parameter proposing: Whether they are for a pull request, which those may open who may not write.
  func uploadModes(
    for files: [UploadFile], at revision: Revision, proposing: Bool = false
  ) async throws -> [String: UploadMode] {
    // What the commit itself would bring counts already.
    let ignore = try Self.text(".gitignore", in: files)
    let attributes = try Self.text(".gitattributes", in: files)
    var modes: [String: UploadMode] = [:]
    for start in stride(from: 0, to: files.count, by: Self.groupSize) {
      let group = files[start..<min(start + Self.groupSize, files.count)]
      let body = JSON.object([
        "files": .array(try group.map(Self.question)), "gitIgnore": ignore.map { .string($0) },
        "gitAttributes": attributes.map { .string($0) },
      ])
      let json = try await connection.json(
        .post, urls.preupload(id, revision, proposing: proposing), body, about: id)
      for answer in json["files"]?.array ?? [] {
        guard let path = answer["path"]?.string,
          let storage = answer["uploadMode"]?.string.flatMap(UploadMode.Storage.init)
        else { throw HubError(.unexpectedReply("an upload mode without path"), repository: id) }
        modes[path] = UploadMode(
          storage: storage, isIgnored: answer["shouldIgnore"]?.bool ?? false,
          presentID: answer["oid"]?.string)
      }
    }
    if let missing = files.first(where: { modes[$0.path] == nil }) {
      throw HubError(.unexpectedReply("no upload mode for \(missing.path)"), repository: id)
    }
    return modes
  }

  private static func text(_ path: String, in files: [UploadFile]) throws -> String? {
    try files.first { $0.path == path && $0.size <= 1 << 20 }
      .map { String(decoding: try $0.bytes(0..<$0.size), as: UTF8.self) }
  }

  private static func question(_ file: UploadFile) throws -> JSON {
    let sample = Base64.encode(try file.bytes(0..<min(file.size, sampleSize)))
    return .object([
      "path": .string(file.path), "sample": .string(String(decoding: sample, as: UTF8.self)),
      "size": .int(file.size),
    ])
  }
}
