// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage

/// What has to be done so that the store has an object.
struct LFSActions: Sendable {
  /// One address and the headers that belong to it alone.
  struct Action: Sendable {
    let url: WebURL
    let headers: HTTPHeaders
  }

  enum Upload: Sendable {
    /// All bytes in one request.
    case basic(Action)
    /// Parts of `partSize` bytes, the last one shorter, then a request that puts them together.
    case multipart(partSize: Int, parts: [WebURL], completion: WebURL)
  }

  /// Nil if the store has the object.
  let upload: Upload?
  let verify: Action?
  /// When the addresses stop being good, if the Hub tells.
  var expiry: ContinuousClock.Instant?
}

extension Repository {
  static let lfsHeaders: HTTPHeaders = [
    "Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json",
  ]
  /// Objects that one request may ask about.
  static let lfsGroupSize = 100

  /// What has to be done for each object, by digest.
  ///
  /// - Parameters:
  ///   - pointers: At most `lfsGroupSize`, each digest once.
  ///   - transfers: The ways of sending to offer.
  func lfsActions(
    for pointers: [LFSPointer], at revision: Revision,
    transfers: [String] = ["basic", "multipart"]
  ) async throws -> [Digest: LFSActions] {
    let body = JSON.object([
      "operation": .string("upload"),
      "transfers": .array(transfers.map { .string($0) }),
      "hash_algo": .string("sha256"), "ref": .object(["name": .string(revision.text)]),
      "objects": .array(
        pointers.map { .object(["oid": .string($0.digest.hex), "size": .int($0.size)]) }),
    ])
    let json = try await connection.json(
      .post, urls.lfsBatch(id), body, about: id, headers: Self.lfsHeaders)
    var found: [Digest: LFSActions] = [:]
    for object in json["objects"]?.array ?? [] {
      guard let digest = object["oid"]?.string.flatMap({ Digest(hex: $0) }),
        let pointer = pointers.first(where: { $0.digest == digest })
      else { continue }
      found[digest] = try actions(object, pointer)
    }
    if let missing = pointers.first(where: { found[$0.digest] == nil }) {
      throw HubError(.unexpectedReply("no answer for object \(missing.digest)"), repository: id)
    }
    return found
  }

  private func actions(_ object: JSON, _ pointer: LFSPointer) throws -> LFSActions {
    if let error = object["error"] {
      let message = error["message"]?.string ?? "no reason given"
      throw HubError(
        error["code"]?.int == 403 ? .forbidden : .badRequest, repository: id,
        exchange: .init(
          method: "POST", url: urls.lfsBatch(id).description, status: error["code"]?.int,
          message: "object \(pointer.digest): \(message)"))
    }
    let actions = object["actions"]
    let lifetime = actions?["upload"]?["expires_in"]?.int
    return LFSActions(
      upload: try actions?["upload"].map { try upload($0, pointer) },
      verify: try actions?["verify"].map { try action($0) },
      expiry: lifetime.map { .now + .seconds(max(0, min($0, 1 << 30))) })
  }

  private func action(_ json: JSON) throws -> LFSActions.Action {
    var headers = HTTPHeaders()
    for member in json["header"]?.members ?? [] {
      if let value = member.value.string { headers.add(member.key, value) }
    }
    return LFSActions.Action(url: try address(json["href"]?.string), headers: headers)
  }

  private func upload(_ json: JSON, _ pointer: LFSPointer) throws -> LFSActions.Upload {
    let header = json["header"]
    let chunk = header?["chunk_size"]
    guard let chunk else { return .basic(try action(json)) }
    let numbered = (header?.members ?? []).compactMap { member in
      Int(member.key).map { (number: $0, href: member.value.string) }
    }
    let parts = numbered.sorted { $0.number < $1.number }
    guard let size = chunk.int ?? chunk.string.flatMap({ Int($0) }), size > 0,
      parts.count == (pointer.size - 1) / size + 1,
      zip(parts, 1...).allSatisfy({ $0.number == $1 })
    else { throw HubError(.unexpectedReply("parts that do not cover the file"), repository: id) }
    return .multipart(
      partSize: size, parts: try parts.map { try address($0.href) },
      completion: try address(json["href"]?.string))
  }

  private func address(_ text: String?) throws -> WebURL {
    guard let url = text.flatMap({ urls.given($0) }) else {
      throw HubError(.unexpectedReply("an upload without an address"), repository: id)
    }
    return url
  }
}
