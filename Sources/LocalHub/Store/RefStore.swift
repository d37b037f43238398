// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import Storage
internal import SystemPackage

/// The names of a repository's commits, one small file each, replaced whole.
struct RefStore: Sendable {
  enum Kind: String, CaseIterable {
    case branch = "heads"
    case tag = "tags"
    case pullRequest = "pr"
  }

  private let folder: FilePath

  init(_ folder: FilePath) { self.folder = folder }

  func create() throws {
    for kind in Kind.allCases { try FileSystem.createFolder(folder.appending(kind.rawValue)) }
  }

  private func path(_ kind: Kind, _ name: String) -> FilePath {
    // A name may hold slashes; escaped it is one file, and neither hidden nor a way out.
    var file = PercentEncoding.encoded(name)
    if file.hasPrefix(".") { file = "%2E" + file.dropFirst() }
    return folder.appending(kind.rawValue).appending(file)
  }

  func commit(_ kind: Kind, _ name: String) -> CommitID? {
    guard let bytes = try? FileSystem.read(path(kind, name)) else { return nil }
    return CommitID(String(decoding: bytes.prefix(40), as: UTF8.self))
  }

  func set(_ kind: Kind, _ name: String, to commit: CommitID) throws {
    try FileSystem.write(commit.hex + "\n", to: path(kind, name), durable: true)
  }

  func remove(_ kind: Kind, _ name: String) throws {
    let path = path(kind, name)
    try FileSystem.remove(path)
    try FileSystem.syncFolder(path.removingLastComponent())
  }

  func all(_ kind: Kind) throws -> [(name: String, commit: CommitID)] {
    try FileSystem.names(in: folder.appending(kind.rawValue)).compactMap { file in
      guard !file.hasPrefix("."), let name = PercentEncoding.decoded(file),
        let commit = commit(kind, name)
      else { return nil }
      return (name, commit)
    }
  }

  /// The ref that a revision names; nil if it is a commit or nothing.
  func find(_ revision: Revision) -> (kind: Kind, name: String, commit: CommitID)? {
    let text = revision.text
    let spelled: [(Kind, String)] =
      if text.hasPrefix("refs/heads/") {
        [(.branch, String(text.dropFirst(11)))]
      } else if text.hasPrefix("refs/tags/") {
        [(.tag, String(text.dropFirst(10)))]
      } else if text.hasPrefix("refs/pr/") {
        [(.pullRequest, String(text.dropFirst(8)))]
      } else {
        [(.branch, text), (.tag, text)]
      }
    for (kind, name) in spelled {
      if let commit = commit(kind, name) { return (kind, name, commit) }
    }
    return nil
  }
}
