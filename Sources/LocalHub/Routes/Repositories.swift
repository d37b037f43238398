// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Synchronization

extension Route {
  static let createRepository = Route(.POST, path: "/api/repos/create", access: .anyone) {
    exchange in
    let body = try exchange.json()
    let id = try exchange.repositoryID(in: body)
    try exchange.requireWriting(to: id.namespace)
    let isPrivate =
      body["visibility"]?.string.map { $0 != "public" } ?? body["private"]?.bool ?? false
    let url = "\(exchange.hubOrigin)/\(id.webPath)"
    guard
      try exchange.service.store.create(
        id, isPrivate: isPrivate, author: exchange.caller.name ?? "local") != nil
    else {
      var failure = HubFailure(.conflict, "You already created this \(id.kind.rawValue) repo")
      failure.details = [JSON.Member("url", .string(url))]
      throw failure
    }
    return .json([
      "url": .string(url), "name": .string(id.description), "id": .string(id.description),
      "private": .bool(isPrivate),
    ])
  }

  static let deleteRepository = Route(.DELETE, path: "/api/repos/delete", access: .anyone) {
    exchange in
    let id = try exchange.repositoryID(in: try exchange.json())
    try exchange.requireWriting(to: id.namespace)
    guard exchange.service.store.repository(id) != nil else {
      throw HubFailure.repositoryNotFound(anonymous: exchange.caller.isAnonymous)
    }
    try exchange.service.store.delete(id)
    return .json([:])
  }

  static let moveRepository = Route(.POST, path: "/api/repos/move", access: .anyone) { exchange in
    let body = try exchange.json()
    let kind = try exchange.kind(in: body)
    guard let from = body["fromRepo"]?.string.flatMap({ try? RepoID($0, kind: kind) }),
      let target = body["toRepo"]?.string.flatMap({ try? RepoID($0, kind: kind) }),
      target.namespace != nil
    else { throw HubFailure.badRequest("\"fromRepo\" and \"toRepo\" must be repository ids") }
    try exchange.requireWriting(to: from.namespace)
    try exchange.requireWriting(to: target.namespace)
    guard exchange.service.store.repository(from) != nil else {
      throw HubFailure.repositoryNotFound(anonymous: exchange.caller.isAnonymous)
    }
    guard try exchange.service.store.move(from, to: target) else {
      throw HubFailure(.conflict, "The name \(target) is already taken")
    }
    return .json([:])
  }

  static let settings = Route(
    .PUT, path: "/api/:type/:namespace/:repo/settings", access: .write
  ) { exchange in
    let body = try exchange.json()
    let repository = try exchange.repository
    try repository.changing.withLock { _ in
      var settings = try repository.settings
      if let visibility = body["visibility"]?.string {
        settings.isPrivate = visibility != "public"
      } else if let isPrivate = body["private"]?.bool {
        settings.isPrivate = isPrivate
      }
      switch body["gated"] {
      case .string(let gate) where gate == "auto" || gate == "manual": settings.gate = gate
      case .bool(false): settings.gate = nil
      case nil: break
      default: throw HubFailure.badRequest("\"gated\" must be \"auto\", \"manual\" or false")
      }
      try repository.save(settings)
    }
    return .json(["private": .bool(try repository.settings.isPrivate)])
  }
}

extension Exchange {
  /// The repository that a body names by `name`, `organization` and `type`.
  fileprivate func repositoryID(in body: JSON) throws(HubFailure) -> RepoID {
    let name = body["name"]?.string ?? ""
    let namespace = body["organization"]?.string ?? caller.name ?? ""
    let text = name.contains("/") ? name : "\(namespace)/\(name)"
    guard let id = try? RepoID(text, kind: try kind(in: body)), id.namespace != nil else {
      throw .badRequest("Invalid repo name: \(text)")
    }
    return id
  }

  fileprivate func kind(in body: JSON) throws(HubFailure) -> RepoID.Kind {
    switch body["type"]?.string ?? "model" {
    case "model": .model
    case "dataset": .dataset
    default: throw HubFailure(.notImplemented, "This hub keeps models and datasets only")
    }
  }
}

extension RepoID {
  /// The path of the repository's page.
  var webPath: String { kind == .model ? description : "\(kind.plural)/\(description)" }
}
