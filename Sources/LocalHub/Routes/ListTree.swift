// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

extension Route {
  static let tree = Route(
    .GET, path: "/api/:type/:namespace/:repo/tree/:rev/*path", access: .read
  ) { exchange in
    let repository = try exchange.repository
    let revision = try exchange.name("rev")
    let commit = try repository.resolve(revision)
    let path = exchange.names["path"] ?? ""
    let tree = try repository.tree(commit)
    guard let listing = tree.listing(of: path, recursive: exchange.request.flag("recursive")) else {
      throw HubFailure.entryNotFound(path, revision: revision, commit: commit.hex)
    }
    let expands = exchange.request.flag("expand")
    let items = expands ? try repository.expanding(listing, commit) : listing
    let size = exchange.service.configuration.pageSize
    return exchange.page(items, size: expands ? max(1, size / 20) : size) { $0 }
      .adding("X-Repo-Commit", commit.hex)
  }

  static let pathsInfo = Route(
    .POST, path: "/api/:type/:namespace/:repo/paths-info/:rev", access: .read
  ) { exchange in
    let repository = try exchange.repository
    let commit = try repository.resolve(try exchange.name("rev"))
    let tree = try repository.tree(commit)
    let (paths, expands) = try exchange.wantedPaths()
    guard paths.count <= 1000 else { throw HubFailure.badRequest("Too many paths, 1000 at most") }
    let items = paths.compactMap { path in
      tree[path]?.listed
        ?? (tree.folders[path] != nil && path != "" ? tree.listed(folder: path) : nil)
    }
    return .json(.array(expands ? try repository.expanding(items, commit) : items))
  }
}

extension Exchange {
  /// The paths of a form or of a JSON object.
  fileprivate func wantedPaths() throws -> (paths: [String], expands: Bool) {
    if request.headers.first(name: "content-type")?.contains("json") == true {
      let body = try json()
      return (body["paths"]?.array?.compactMap(\.string) ?? [], body["expand"]?.bool ?? false)
    }
    guard case .bytes(let bytes) = body else { return ([], false) }
    let fields = try Request.form(String(decoding: bytes, as: UTF8.self))
    let expand = fields.last { $0.name == "expand" }?.value.lowercased()
    return (fields.filter { $0.name == "paths" }.map(\.value), ["true", "1"].contains(expand))
  }
}

extension StoredRepository {
  /// Entries with the commit that last changed each.
  fileprivate func expanding(_ items: [JSON], _ head: CommitID) throws -> [JSON] {
    var open: [String: JSON] = [:]
    for item in items {
      if let path = item["path"]?.string { open[path] = item }
    }
    var last: [String: JSON] = [:]
    var id = head
    // Walk back while a file is still what it is now; what differs in the parent was made here.
    while !open.isEmpty {
      let commit = try commit(id)
      let tree = try tree(commit.tree)
      let parent = commit.parents.first
      let before = try parent.map { try self.tree($0) }
      for path in Array(open.keys) {
        let now = tree[path]?.oid ?? tree.folders[path]
        if before == nil || (before?[path]?.oid ?? before?.folders[path]) != now {
          open[path] = nil
          last[path] = [
            "id": .string(id.hex), "title": .string(commit.title),
            "date": .string(commit.date.iso8601),
          ]
        }
      }
      guard let parent else { break }
      id = parent
    }
    return items.map { item in
      item.setting("lastCommit", to: item["path"]?.string.flatMap { last[$0] } ?? .null)
    }
  }
}
