// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let lfsBatch = Route(
    .POST, path: "/:namespace/:repo.git/info/lfs/objects/batch", access: .read
  ) { try $0.lfsBatch() }

  static let datasetLFSBatch = Route(
    .POST, path: "/:type/:namespace/:repo.git/info/lfs/objects/batch", access: .read
  ) { try $0.lfsBatch() }

  static let lfsVerify = Route(
    .POST, path: "/:namespace/:repo.git/info/lfs/objects/verify", access: .read
  ) { try $0.lfsVerify() }

  static let datasetLFSVerify = Route(
    .POST, path: "/:type/:namespace/:repo.git/info/lfs/objects/verify", access: .read
  ) { try $0.lfsVerify() }

  static let completeMultipart = Route(
    .POST, path: "/api/complete_multipart/:upload", access: .signed
  ) { exchange in
    let body = try exchange.json()
    let parts = try (body["parts"]?.array ?? []).map { part in
      guard let number = part["partNumber"]?.int, let etag = part["etag"]?.string else {
        throw HubFailure.badRequest("Each part needs \"partNumber\" and \"etag\"")
      }
      return (number, etag)
    }
    let id = try exchange.name("upload")
    guard body["oid"]?.string == (try exchange.service.uploads[id].pointer.digest.hex) else {
      throw HubFailure.badRequest("\"oid\" is not the object of this upload")
    }
    let upload = try exchange.service.uploads.complete(id, parts: parts)
    try exchange.give(upload.pointer.digest, to: upload.repository)
    return .json(["success": true])
  }
}

extension Exchange {
  fileprivate func lfsBatch() throws -> Response {
    let body = try json()
    let isUpload: Bool
    switch body["operation"]?.string {
    case "upload":
      isUpload = true
      try requireWriting(to: try repository.id.namespace)
    case "download":
      isUpload = false
      guard try repository.admits(caller) else {
        throw HubFailure.gated(try repository.id, anonymous: caller.isAnonymous)
      }
    default: throw HubFailure.badRequest("\"operation\" must be \"upload\" or \"download\"")
    }
    let objects = body["objects"]?.array ?? []
    guard objects.count <= 1000 else {
      throw HubFailure.badRequest("Too many objects, 1000 at most")
    }
    let transfers = body["transfers"]?.array?.compactMap(\.string) ?? ["basic"]
    var isMultipart = false
    let answers = try objects.map { object -> JSON in
      guard let digest = object["oid"]?.string.flatMap(Digest.init(hex:)),
        digest.algorithm == .sha256,
        let size = object["size"]?.int, size >= 0
      else { throw HubFailure.badRequest("Each object needs \"oid\" (SHA-256) and \"size\"") }
      let pointer = LFSPointer(digest: digest, size: size)
      var answer: JSON = [
        "oid": .string(digest.hex), "size": .int(size), "authenticated": true,
      ]
      if !isUpload {
        return try answer.merging(downloading: pointer, self)
      }
      if try repository.owns(digest), service.store.blobs.size(of: digest) == size { return answer }
      let large =
        transfers.contains("multipart") && size > service.configuration.multipartThreshold
      isMultipart = isMultipart || large
      answer = answer.setting(
        "actions",
        to: ["upload": large ? try multipart(pointer) : try basic(pointer), "verify": try verify()])
      return answer
    }
    return Response.json([
      "transfer": isMultipart ? "multipart" : "basic", "objects": .array(answers),
    ]).adding("Content-Type", "application/vnd.git-lfs+json")
  }

  private func basic(_ pointer: LFSPointer) throws -> JSON {
    let id = try repository.id
    let path = "/objects/\(pointer.digest)/\(pointer.size)/\(id.kind.plural)/\(id)"
    return [
      "href": .string(blobOrigin + service.signer.signed(.PUT, path)), "header": [:],
      "expires_in": .int(service.signer.lifetime),
    ]
  }

  private func multipart(_ pointer: LFSPointer) throws -> JSON {
    let (id, upload) = try service.uploads.begin(pointer, for: try repository.id)
    var header: JSON = ["chunk_size": .string(String(upload.partSize))]
    var members = header.members ?? []
    for part in 1...upload.partCount {
      let number = String(part)
      let key = String(repeating: "0", count: max(0, 5 - number.count)) + number
      let link = blobOrigin + service.signer.signed(.PUT, "/uploads/\(id)/\(part)")
      members.append(JSON.Member(key, .string(link)))
    }
    header = .object(members)
    let completion = service.signer.signed(.POST, "/api/complete_multipart/\(id)")
    return [
      "href": .string(hubOrigin + completion), "header": header,
      "expires_in": .int(service.signer.lifetime),
    ]
  }

  private func verify() throws -> JSON {
    [
      "href": .string("\(hubOrigin)/\(try repository.id.webPath).git/info/lfs/objects/verify"),
      "header": [:],
    ]
  }

  fileprivate func lfsVerify() throws -> Response {
    let body = try json()
    guard let digest = body["oid"]?.string.flatMap(Digest.init(hex:)) else {
      throw HubFailure.badRequest("\"oid\" must be a SHA-256")
    }
    guard try repository.owns(digest), let size = service.store.blobs.size(of: digest) else {
      throw HubFailure(.notFound, "The object does not exist: \(digest)")
    }
    guard size == body["size"]?.int else {
      throw HubFailure.badRequest("The object has \(size) bytes: \(digest)")
    }
    return .json([:])
  }
}

extension JSON {
  /// The answer to the wish to download an object: of a repository that has it.
  fileprivate func merging(downloading pointer: LFSPointer, _ exchange: Exchange) throws -> JSON {
    guard exchange.service.store.blobs.size(of: pointer.digest) == pointer.size,
      try exchange.repository.holds(pointer)
    else {
      return setting("error", to: ["code": 404, "message": "Object does not exist"])
    }
    let path = "/objects/\(pointer.digest)"
    return setting(
      "actions",
      to: [
        "download": [
          "href": .string(exchange.blobOrigin + exchange.service.signer.signed(.GET, path)),
          "expires_in": .int(exchange.service.signer.lifetime),
        ]
      ])
  }
}
