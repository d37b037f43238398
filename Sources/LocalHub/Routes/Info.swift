// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let info = Route(
    .GET, .HEAD, path: "/api/:type/:namespace/:repo", access: .read
  ) { try $0.info(at: "main") }

  static let infoAtRevision = Route(
    .GET, .HEAD, path: "/api/:type/:namespace/:repo/revision/:rev", access: .read
  ) { try $0.info(at: try $0.name("rev")) }

  /// A name without a namespace: nobody here has one, and clients are to be told so in their words.
  static let namelessInfo = Route(
    .GET, .HEAD, path: "/api/:type/:repo", access: .anyone
  ) { throw HubFailure.repositoryNotFound(anonymous: $0.caller.isAnonymous) }

  static let namelessResolve = Route(
    .GET, .HEAD, path: "/:repo/resolve/:rev/*path", access: .anyone
  ) { throw HubFailure.repositoryNotFound(anonymous: $0.caller.isAnonymous) }

  /// The headers of all shards of a model at once.
  static let weightsHeaders = Route(
    .GET, path: "/api/models/:namespace/:repo/safetensors-metadata/*path", access: .content
  ) { exchange in
    let repository = try exchange.repository
    let commit = try repository.resolve("main")
    let tree = try repository.tree(commit)
    let path = try exchange.name("path")
    guard let index = try repository.weightsIndex(tree, named: path) else {
      throw HubFailure.entryNotFound(path, revision: "main", commit: commit.hex)
    }
    let headers = try repository.shards(of: index, in: tree).map { entry in
      guard let header = try WeightsHeader(repository.blobs.path(of: entry.blob)) else {
        throw HubFailure.badRequest("\(entry.path) is not a safetensors file")
      }
      return JSON.Member(entry.path, header.json)
    }
    return .json(["index": index.removing("weight_map"), "headers": .object(headers)])
  }

  /// The large files that branches, tags and pull requests lead to.
  static let largeFiles = Route(
    .GET, path: "/api/:type/:namespace/:repo/lfs-files", access: .write
  ) { exchange in
    let repository = try exchange.repository
    var found: [JSON] = []
    var seen: Set<String> = []
    for kind in RefStore.Kind.allCases {
      for ref in try repository.refs.all(kind) {
        let commit = try repository.commit(ref.commit)
        for entry in try repository.tree(commit.tree).entries {
          guard let lfs = entry.lfs, seen.insert("\(lfs.digest) \(entry.path)").inserted else {
            continue
          }
          found.append([
            "fileOid": .string(lfs.digest.hex), "oid": .string(lfs.digest.hex),
            "filename": .string(entry.path), "size": .int(lfs.size),
            "pushedAt": .string(commit.date.iso8601),
            "ref": .string("refs/\(kind.rawValue)/\(ref.name)"),
          ])
        }
      }
    }
    return exchange.page(found, size: exchange.service.configuration.pageSize) { $0 }
  }
}

extension Exchange {
  fileprivate func info(at revision: String) throws -> Response {
    let info = try RepositoryInfo(try repository, at: revision)
    if let wanted = expandedFields { return .json(try info.listed(wanted, request)) }
    let more = request.flag("securityStatus") ? ["securityRepoStatus"] : []
    return .json(try info.listed(RepositoryInfo.fields + more, request))
  }

  /// The fields that are wanted in place of the usual ones.
  var expandedFields: [String]? {
    let wanted = request.query.filter { $0.name == "expand" || $0.name == "expand[]" }
      .flatMap { $0.value.split(separator: ",").map(String.init) }
    return wanted.isEmpty ? nil : wanted
  }
}
