// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Synchronization

extension Route {
  static let refs = Route(.GET, path: "/api/:type/:namespace/:repo/refs", access: .read) {
    exchange in
    let refs = try exchange.repository.refs
    func list(_ kind: RefStore.Kind, _ folder: String) throws -> JSON {
      .array(
        try refs.all(kind).map { name, commit in
          [
            "name": .string(kind == .pullRequest ? "refs/pr/\(name)" : name),
            "ref": .string("refs/\(folder)/\(name)"), "targetCommit": .string(commit.hex),
          ]
        })
    }
    return .json(
      .object([
        "branches": try list(.branch, "heads"), "converts": [], "tags": try list(.tag, "tags"),
        "pullRequests": exchange.request.flag("include_prs") ? try list(.pullRequest, "pr") : nil,
      ]))
  }

  /// The history, the newest first; of a merge only the side of the branch.
  static let commits = Route(
    .GET, path: "/api/:type/:namespace/:repo/commits/:rev", access: .read
  ) { exchange in
    let repository = try exchange.repository
    var items: [JSON] = []
    var next: CommitID? = try repository.resolve(try exchange.name("rev"))
    while let id = next {
      let commit = try repository.commit(id)
      items.append(commit.listed(id))
      next = commit.parents.first
    }
    let total = items.count
    return exchange.page(items, size: min(50, exchange.service.configuration.pageSize)) { $0 }
      .adding("X-Total-Count", String(total))
  }

  static let createBranch = Route(
    .POST, path: "/api/:type/:namespace/:repo/branch/:branch", access: .write
  ) { exchange in
    let start = try exchange.json()["startingPoint"]?.string ?? "main"
    return try exchange.create(.branch, try exchange.name("branch"), at: start)
  }

  static let deleteBranch = Route(
    .DELETE, path: "/api/:type/:namespace/:repo/branch/:branch", access: .write
  ) { exchange in
    let name = try exchange.name("branch")
    guard name != "main" else { throw HubFailure(.forbidden, "The branch main cannot be deleted") }
    return try exchange.delete(.branch, name)
  }

  static let createTag = Route(
    .POST, path: "/api/:type/:namespace/:repo/tag/:rev", access: .write
  ) { exchange in
    guard let tag = try exchange.json()["tag"]?.string else {
      throw HubFailure.badRequest("\"tag\" is required")
    }
    return try exchange.create(.tag, tag, at: try exchange.name("rev"))
  }

  static let deleteTag = Route(
    .DELETE, path: "/api/:type/:namespace/:repo/tag/:tag", access: .write
  ) { exchange in
    try exchange.delete(.tag, try exchange.name("tag"))
  }
}

extension Route {
  /// Makes one commit of a branch's whole history.
  static let superSquash = Route(
    .POST, path: "/api/:type/:namespace/:repo/super-squash/:branch", access: .write
  ) { exchange in
    let repository = try exchange.repository
    let message = try exchange.json()["message"]?.string ?? "Super-squash branch"
    let branch = try exchange.name("branch")
    try repository.changing.withLock { _ in
      guard let head = repository.refs.commit(.branch, branch) else {
        throw HubFailure.revisionNotFound(branch)
      }
      let tree = try repository.tree(head)
      let commit = Commit(
        tree: tree.oid, parents: [], title: message, description: "",
        author: exchange.caller.name ?? "anonymous", date: .now)
      try repository.refs.set(.branch, branch, to: try repository.write(commit, tree))
    }
    return .json([:])
  }
}

extension Exchange {
  fileprivate func create(_ kind: RefStore.Kind, _ name: String, at start: String) throws
    -> Response
  {
    // A name of 40 digits would hide a commit, and one below refs/ another ref.
    guard let revision = Revision(name), revision.commit == nil, !name.hasPrefix("refs/"),
      name.utf8.count <= 80
    else { throw HubFailure.badRequest("Invalid reference name: \(name)") }
    let repository = try repository
    try repository.changing.withLock { _ in
      let commit = try repository.resolve(start)
      guard repository.refs.commit(kind, name) == nil else {
        throw HubFailure(.conflict, "Reference already exists: \(name)")
      }
      try repository.refs.set(kind, name, to: commit)
    }
    return .json([:])
  }

  fileprivate func delete(_ kind: RefStore.Kind, _ name: String) throws -> Response {
    let repository = try repository
    try repository.changing.withLock { _ in
      guard repository.refs.commit(kind, name) != nil else {
        throw HubFailure.revisionNotFound(name)
      }
      try repository.refs.remove(kind, name)
    }
    return .json([:])
  }
}
