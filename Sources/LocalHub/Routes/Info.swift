// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let info = Route(
    .GET, .HEAD, path: "/api/:type/:namespace/:repo", access: .read
  ) { exchange in
    .json(try exchange.repository.info(at: "main", exchange.request))
  }

  static let infoAtRevision = Route(
    .GET, .HEAD, path: "/api/:type/:namespace/:repo/revision/:rev", access: .read
  ) { exchange in
    .json(try exchange.repository.info(at: try exchange.name("rev"), exchange.request))
  }

  /// Repositories by name, those that the caller may see.
  static let list = Route(.GET, path: "/api/:type", access: .anyone) { exchange in
    let kind: RepoID.Kind = try exchange.name("type") == "datasets" ? .dataset : .model
    let search = exchange.request["search"]?.lowercased()
    let author = exchange.request["author"]
    let found = try exchange.service.store.all(kind).filter { repository in
      if let search, !repository.id.description.lowercased().contains(search) { return false }
      if let author, repository.id.namespace != author { return false }
      return try !repository.settings.isPrivate
        || exchange.caller.belongs(to: repository.id.namespace)
    }
    let items = try found.map { try $0.info(at: "main", exchange.request, summary: true) }
    return exchange.page(items, size: exchange.service.configuration.pageSize)
  }
}

extension StoredRepository {
  /// What the hub tells about a repository at a revision.
  ///
  /// - Parameter summary: Whether to leave out files and card, as in lists.
  func info(at revision: String, _ request: Request, summary: Bool = false) throws -> JSON {
    let id = try resolve(revision)
    let commit = try commit(id)
    let settings = try settings
    let tree = try tree(commit.tree)
    let card = try tree["README.md"].flatMap { entry in
      entry.lfs == nil
        ? CardMetadata(readme: String(decoding: try blobs.read(entry.blob), as: UTF8.self)).value
        : nil
    }
    let name = self.id.description
    let all: JSON = .object([
      "_id": .string(String(id.hex.prefix(24))), "id": .string(name),
      "modelId": self.id.kind == .model ? .string(name) : nil,
      "author": self.id.namespace.map { .string($0) }, "sha": .string(id.hex),
      "lastModified": .string(commit.date.iso8601), "createdAt": .string(settings.created.iso8601),
      "private": .bool(settings.isPrivate), "gated": settings.gate.map { .string($0) } ?? false,
      "disabled": false, "downloads": 0, "likes": 0, "tags": .array(tags(of: card)),
      "pipeline_tag": card?["pipeline_tag"], "library_name": card?["library_name"],
      "cardData": summary ? nil : card,
      "siblings": summary ? nil : .array(tree.entries.map { $0.sibling(request.flag("blobs")) }),
      "usedStorage": summary ? nil : .int(tree.entries.reduce(0) { $0 + $1.size }),
    ])
    let wanted = request.query.filter { $0.name == "expand" || $0.name == "expand[]" }.map(\.value)
    guard !wanted.isEmpty, !summary else { return all }
    let kept = Set(wanted.flatMap { $0.split(separator: ",").map(String.init) } + ["_id", "id"])
    return .object((all.members ?? []).filter { kept.contains($0.key) })
  }

  private func tags(of card: JSON?) -> [JSON] {
    var tags = card?["tags"]?.array ?? []
    for key in ["library_name", "pipeline_tag"] {
      if let value = card?[key], !tags.contains(value) { tags.append(value) }
    }
    let prefixed = [("license", "license"), ("base_model", "base_model"), ("datasets", "dataset")]
    for (key, prefix) in prefixed {
      let values = card?[key]?.array ?? card?[key].map { [$0] } ?? []
      tags += values.compactMap { $0.string.map { .string("\(prefix):\($0)") } }
    }
    return tags
  }
}

extension TreeEntry {
  /// The file as it appears among a repository's siblings.
  fileprivate func sibling(_ withBlobs: Bool) -> JSON {
    .object([
      "rfilename": .string(path), "blobId": withBlobs ? .string(oid.hex) : nil,
      "size": withBlobs ? .int(size) : nil,
      "lfs": withBlobs
        ? lfs.map {
          [
            "sha256": .string($0.digest.hex), "size": .int($0.size),
            "pointerSize": .int($0.text.utf8.count),
          ]
        } : nil,
    ])
  }
}
