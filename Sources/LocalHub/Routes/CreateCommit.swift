// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let commit = Route(
    .POST, path: "/api/:type/:namespace/:repo/commit/:rev", access: .read,
    body: .file { exchange in
      try exchange.requireCommitting()
      return try Spool(
        creating: exchange.service.store.blobs.draft(),
        limit: exchange.service.configuration.commitSizeLimit)
    }
  ) { exchange in
    guard case .file(let spool) = exchange.body else {
      throw HubFailure.badRequest("There is no commit")
    }
    let repository = try exchange.repository
    var revision = try exchange.name("rev")
    let change = try CommitRequest(exchange).change(
      reading: LineReader(try File(spool.path, .read)))
    var pullRequest: Int?
    if exchange.request.flag("create_pr") {
      let base = try repository.resolve(change.parent ?? revision)
      let discussion = try repository.open(
        title: change.title, description: change.description, author: change.author, base: base,
        status: .open)
      pullRequest = discussion.number
      revision = "refs/pr/\(discussion.number)"
    }
    let commit = try repository.commit(change, to: revision)
    let url = "\(exchange.hubOrigin)/\(repository.id.webPath)/commit/\(commit)"
    return .json(
      .object([
        "success": true, "commitOid": .string(commit.hex), "commitUrl": .string(url),
        "hookOutput": "",
        "pullRequestUrl": pullRequest.map { .string(exchange.url(of: $0, repository.id)) },
      ]))
  }
}

extension Exchange {
  /// Everybody with a name may propose a change, as on the hub, and go on with it; the rest is for
  /// writers.
  func requireCommitting() throws {
    try service.requireWritable()
    if let name = caller.name {
      if request.flag("create_pr") { return }
      let revision = try self.name("rev")
      if revision.hasPrefix("refs/pr/"), let number = Int(revision.dropFirst(8)),
        try repository.discussion(number)?.author == name
      {
        return
      }
    }
    try requireWriting(to: try repository.id.namespace)
  }
}

/// Takes a commit's lines apart; contents become blobs on the way.
private struct CommitRequest {
  let exchange: Exchange
  let repository: StoredRepository

  init(_ exchange: Exchange) throws {
    self.exchange = exchange
    repository = try exchange.repository
  }

  func change(reading lines: LineReader) throws -> StoredRepository.Change {
    var change: StoredRepository.Change?
    while let line = try lines.next() {
      guard !line.isEmpty else { continue }
      let item: JSON
      do { item = try JSON.parse(line) } catch {
        throw HubFailure.badRequest("A line of the commit is not JSON: \(error)")
      }
      guard let key = item["key"]?.string, let value = item["value"] else {
        throw HubFailure.badRequest("Each line of a commit needs \"key\" and \"value\"")
      }
      if key == "header" {
        guard change == nil else { throw HubFailure.badRequest("A commit has one header") }
        change = try header(value)
      } else {
        guard change != nil else { throw HubFailure.badRequest("The header must come first") }
        change?.edits += try edits(key, value)
      }
    }
    guard let change else { throw HubFailure.badRequest("The commit has no header") }
    return change
  }

  private func header(_ value: JSON) throws -> StoredRepository.Change {
    guard let summary = value["summary"]?.string, !summary.isEmpty else {
      throw HubFailure.badRequest("\"summary\" is required")
    }
    let parent = value["parentCommit"]?.string
    if let parent, CommitID(parent) == nil {
      throw HubFailure.badRequest("\"parentCommit\" must be a full commit id")
    }
    return StoredRepository.Change(
      title: summary, description: value["description"]?.string ?? "", parent: parent,
      author: exchange.caller.name ?? "anonymous")
  }

  private func edits(_ key: String, _ value: JSON) throws -> [CommitEdit] {
    guard let text = value["path"]?.string else {
      throw HubFailure.badRequest("\"path\" is required")
    }
    switch key {
    case "file":
      let path = try RepoPath.check(text)
      if value["content"] == nil, let old = value["oldPath"]?.string {
        return [.copy(from: old, to: path), .delete(old)]
      }
      return [.put(try file(path, value))] + (value["oldPath"]?.string.map { [.delete($0)] } ?? [])
    case "lfsFile":
      let path = try RepoPath.check(text)
      return [.put(try large(path, value))] + (value["oldPath"]?.string.map { [.delete($0)] } ?? [])
    case "deletedFile": return [.delete(text)]
    case "deletedFolder": return [.deleteFolder(text)]
    case "copy", "copyFile":
      guard let source = value["srcPath"]?.string ?? value["from"]?.string else {
        throw HubFailure.badRequest("\"srcPath\" is required")
      }
      return [.copy(from: source, to: try RepoPath.check(text))]
    default: throw HubFailure.badRequest("Unknown operation: \(key)")
    }
  }

  private func file(_ path: String, _ value: JSON) throws -> TreeEntry {
    let text = value["content"]?.string ?? ""
    let content: [UInt8]
    switch value["encoding"]?.string ?? "utf-8" {
    case "base64":
      guard let decoded = Base64.decoded(text) else {
        throw HubFailure.badRequest("The content of \(path) is not base64")
      }
      content = decoded
    case "utf-8": content = Array(text.utf8)
    default: throw HubFailure.badRequest("The encoding must be \"base64\" or \"utf-8\"")
    }
    let limit = exchange.service.configuration.regularFileLimit
    guard content.count <= limit else {
      throw HubFailure.badRequest(
        "\(path) has \(content.count) bytes: files of more than \(limit) must be sent through LFS")
    }
    if path == "README.md" {
      let errors = CardMetadata(readme: String(decoding: content, as: UTF8.self)).errors
      guard errors.isEmpty else {
        throw HubFailure.badRequest(
          "Invalid metadata in README.md: " + errors.joined(separator: "; "))
      }
    }
    _ = try repository.blobs.store(content)
    return TreeEntry(path: path, content: content)
  }

  private func large(_ path: String, _ value: JSON) throws -> TreeEntry {
    let oid = value["oid"]?.string ?? ""
    guard let digest = Digest(hex: oid), digest.algorithm == .sha256, repository.owns(digest),
      let size = repository.blobs.size(of: digest)
    else {
      throw HubFailure.badRequest("LFS pointer pointed to a file that does not exist: \(oid)")
    }
    guard value["size"] == nil || value["size"]?.int == size else {
      throw HubFailure.badRequest("The size of \(path) is \(size): \(oid)")
    }
    return TreeEntry(path: path, lfs: LFSPointer(digest: digest, size: size))
  }
}
