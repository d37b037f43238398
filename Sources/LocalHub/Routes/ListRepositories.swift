// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

extension Route {
  /// Repositories by name, author and tags, those that the caller may see.
  static let list = Route(.GET, .HEAD, path: "/api/:type", access: .anyone) { exchange in
    let request = exchange.request
    for name in ["num_parameters", "inference", "inference_provider", "apps"]
    where request[name] != nil {
      throw HubFailure(.notImplemented, "This hub cannot filter by \"\(name)\"")
    }
    let kind: RepoID.Kind = try exchange.name("type") == "datasets" ? .dataset : .model
    var found = try exchange.visible(kind, search: request["search"], author: request["author"])
      .map { try RepositoryInfo($0, at: "main") }
    try exchange.filter(&found)
    switch request["sort"] {
    case "lastModified"?, "last_modified"?, nil:
      found.sort { $0.commit.date.seconds > $1.commit.date.seconds }
    case "createdAt"?, "created_at"?:
      found.sort { $0.settings.created.seconds > $1.settings.created.seconds }
    default: break
    }
    if request["direction"] == "1" { found.reverse() }
    let fields = exchange.expandedFields ?? exchange.listFields
    return try exchange.page(found, size: exchange.service.configuration.pageSize) { info in
      try info.listed(fields, request)
    }
  }
}

extension Exchange {
  /// The repositories of a kind that the caller may see, by name.
  func visible(_ kind: RepoID.Kind, search: String? = nil, author: String? = nil) throws
    -> [StoredRepository]
  {
    let search = search?.lowercased()
    return try service.store.all(kind).filter { repository in
      if let search, !repository.id.description.lowercased().contains(search) { return false }
      if let author, repository.id.namespace != author { return false }
      return try !repository.settings.isPrivate || caller.belongs(to: repository.id.namespace)
    }
  }

  fileprivate func filter(_ found: inout [RepositoryInfo]) throws {
    var tags = request.query.filter { $0.name == "filter" }
      .flatMap { $0.value.split(separator: ",").map(String.init) }
    if let tag = request["pipeline_tag"] { tags.append(tag) }
    if !tags.isEmpty {
      found = try found.filter { info in
        let own = Set(try info.listed(["tags"], request)["tags"]?.array?.compactMap(\.string) ?? [])
        return tags.allSatisfy(own.contains)
      }
    }
    if request["gated"] != nil {
      found = found.filter { ($0.settings.gate != nil) == request.flag("gated") }
    }
  }

  fileprivate var listFields: [String] {
    var fields = RepositoryInfo.listFields
    if request.flag("full") { fields.append("siblings") }
    if request.flag("cardData") { fields.append("cardData") }
    if request.flag("config") { fields.append("config") }
    return fields
  }
}
