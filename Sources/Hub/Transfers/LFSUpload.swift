// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import Synchronization

/// The upload of one large file to the store that the Hub names.
struct LFSUpload: Sendable {
  let repository: Repository
  let revision: Revision
  let file: UploadFile
  let pointer: LFSPointer

  private var connection: HubConnection { repository.connection }
  private var name: HubEvent.RepositoryFile {
    HubEvent.RepositoryFile(repository: repository.id, path: file.path)
  }

  /// Carries out what the Hub has asked for; asks again if the store refuses an address as expired.
  ///
  /// - Returns: The bytes sent; 0 if the store has the object.
  func run(_ actions: LFSActions) async throws -> Int {
    var actions = actions
    var attempt = 0
    while true {
      do {
        return try await perform(actions)
      } catch let error as HubError where isExpiry(error) && attempt < 2 {
        attempt += 1
        actions =
          try await repository.lfsActions(for: [pointer], at: revision)[pointer.digest]
          ?? actions
      }
    }
  }

  private func isExpiry(_ error: HubError) -> Bool {
    guard let status = error.exchange?.status, [400, 401, 403, 410].contains(status),
      let url = error.exchange.flatMap({ WebURL($0.url) })
    else { return false }
    return url.origin != connection.configuration.endpoint.origin
  }

  private func perform(_ actions: LFSActions) async throws -> Int {
    guard let upload = actions.upload else {
      if let verify = actions.verify { try await self.verify(verify) }
      connection.observe(.reused(.upload, name, bytes: pointer.size))
      return 0
    }
    connection.observe(.started(.upload, name, bytes: pointer.size))
    switch upload {
    case .basic(let action): try await sendWhole(action)
    case .multipart(let partSize, let parts, let completion):
      try await sendParts(parts, of: partSize, completion)
    }
    if let verify = actions.verify { try await self.verify(verify) }
    connection.observe(.finished(.upload, name, bytes: pointer.size))
    return pointer.size
  }

  /// Tells the Hub that the object is there; without it the commit would not find it.
  private func verify(_ action: LFSActions.Action) async throws {
    var headers = Repository.lfsHeaders
    for field in action.headers.fields { headers[field.name] = field.value }
    _ = try await connection.json(
      .post, action.url,
      .object(["oid": .string(pointer.digest.hex), "size": .int(pointer.size)]),
      about: repository.id, headers: headers)
  }

  // MARK: One request

  private func sendWhole(_ action: LFSActions.Action) async throws {
    _ = try await put(0..<pointer.size, to: action.url, headers: action.headers)
  }

  private func put(
    _ range: Range<Int>, to url: WebURL, headers: HTTPHeaders = [:]
  ) async throws -> HTTPResponse {
    try await connection.permits.withPermit {
      let progress = Mutex(0)
      let body = try file.body(range).observed { end in
        // After a retry the position is smaller than before.
        let step = progress.withLock { last in
          defer { last = end }
          return end - last
        }
        connection.observe(.advanced(.upload, name, bytes: step))
      }
      var request = HTTPRequest(.put, url, headers: headers, body: body, patience: 120)
      request.sendsToken = false
      do {
        return try await connection.send(request, about: repository.id)
      } catch {
        connection.observe(.advanced(.upload, name, bytes: -progress.withLock { $0 }))
        throw error
      }
    }
  }

  // MARK: Parts

  private func sendParts(_ urls: [WebURL], of partSize: Int, _ completion: WebURL) async throws {
    let tags = try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for (index, url) in urls.enumerated() {
        group.addTask {
          let start = index * partSize
          let range = start..<min(start + partSize, pointer.size)
          let reply = try await put(range, to: url)
          guard let tag = reply.headers["ETag"] else {
            throw HubError(.unexpectedReply("a part without ETag"), repository: repository.id)
          }
          return (index, tag)
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    let parts = tags.sorted { $0.key < $1.key }.map { index, tag in
      JSON.object(["partNumber": .int(index + 1), "etag": .string(tag)])
    }
    let body = JSON.object(["oid": .string(pointer.digest.hex), "parts": .array(parts)])
    var request = HTTPRequest(
      .post, completion, headers: Repository.lfsHeaders,
      body: .bytes(Array(body.serialized(.compact).utf8)))
    // The store puts the parts together before it answers.
    request.patience = 300
    _ = try await connection.send(request, about: repository.id)
  }
}
