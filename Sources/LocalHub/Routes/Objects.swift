// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let downloadObject = Route(
    .GET, .HEAD, path: "/objects/:oid", access: .signed
  ) { exchange in
    guard let digest = Digest(hex: try exchange.name("oid")),
      let size = exchange.service.store.blobs.size(of: digest)
    else { throw HubFailure(.notFound, "The object does not exist") }
    return Response.file(
      exchange.service.store.blobs.path(of: digest), size: size, for: exchange.request,
      ignoringRange: exchange.ignoresRange
    )
    // As of a storage that knows nothing of the hub: not the digest.
    .adding("ETag", "\"\(digest.hex.prefix(32))\"")
    .adding("Content-Type", "application/octet-stream")
  }

  static let uploadObject = Route(
    .PUT, path: "/objects/:oid/:size/:type/:namespace/:repo", access: .signed,
    body: .file { exchange in
      guard let length = exchange.request.contentLength else {
        throw HubFailure(.lengthRequired, "Content-Length is required")
      }
      guard String(length) == (try exchange.name("size")) else {
        throw HubFailure.badRequest(
          "The object has \(try exchange.name("size")) bytes, not \(length)")
      }
      return try Spool(creating: exchange.service.store.blobs.draft(), limit: length)
    }
  ) { exchange in
    guard case .file(let spool) = exchange.body, let digest = try spool.finish() else {
      throw HubFailure.badRequest("There is no body")
    }
    guard digest.hex == (try exchange.name("oid")) else {
      throw HubFailure.badRequest("The content's SHA-256 is \(digest), not that of the object")
    }
    try exchange.service.store.blobs.adopt(spool.take(), as: digest)
    try exchange.give(digest, to: exchange.repositoryID)
    return Response().adding("ETag", "\"\(digest.hex.prefix(32))\"")
  }

  static let uploadPart = Route(
    .PUT, path: "/uploads/:upload/:part", access: .signed,
    body: .file { exchange in
      let upload = try exchange.service.uploads[try exchange.name("upload")]
      guard let part = Int(try exchange.name("part")), (1...upload.partCount).contains(part) else {
        throw HubFailure.badRequest("There is no such part")
      }
      let range = upload.range(of: part)
      guard let length = exchange.request.contentLength else {
        throw HubFailure(.lengthRequired, "Content-Length is required")
      }
      guard length == range.count else {
        throw HubFailure.badRequest("The part has \(range.count) bytes, not \(length)")
      }
      return try exchange.service.uploads.spool(for: part, of: try exchange.name("upload"))
    }
  ) { exchange in
    guard case .file(let spool) = exchange.body, let part = Int(try exchange.name("part")) else {
      throw HubFailure.badRequest("There is no body")
    }
    _ = try spool.finish()
    let etag = "\"part-\(part)-\(spool.count)\""
    exchange.service.uploads.received(part, etag: etag, of: try exchange.name("upload"))
    return Response().adding("ETag", etag)
  }
}

extension Exchange {
  /// Lets a repository make a file of an object that has been sent to it.
  ///
  /// - Throws: `HubFailure` 404 if the repository is gone.
  func give(_ object: Digest, to id: RepoID?) throws {
    guard let id, let repository = service.store.repository(id) else {
      throw HubFailure.repositoryNotFound(anonymous: false)
    }
    try repository.own(object)
  }
}
