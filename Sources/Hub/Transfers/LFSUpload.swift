// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import Synchronization

/// The upload of one large file to the store that the Hub names.
final class LFSUpload: Sendable {
  let pointer: LFSPointer
  private let repository: Repository
  private let revision: Revision
  private let file: UploadFile
  private let sent = Mutex(0)

  init(repository: Repository, revision: Revision, file: UploadFile, pointer: LFSPointer) {
    self.repository = repository
    self.revision = revision
    self.file = file
    self.pointer = pointer
  }

  private var connection: HubConnection { repository.connection }
  private var name: HubEvent.RepositoryFile {
    HubEvent.RepositoryFile(repository: repository.id, path: file.path)
  }

  /// The bytes that the store has taken; 0 if it had the object.
  var bytesSent: Int { sent.withLock { $0 } }

  /// Carries out what the Hub has asked for. Asks again if the addresses have expired meanwhile, or if the store
  /// refuses one, or does not know the upload or the object any more.
  func run(_ actions: LFSActions) async throws {
    var actions = actions
    var attempt = 0
    while true {
      if let expiry = actions.expiry, expiry < .now { actions = try await renewed(actions) }
      do {
        return try await perform(actions)
      } catch let error as HubError where isRefusal(error) && attempt < 2 {
        attempt += 1
        try file.checkUnchanged()
        actions = try await renewed(actions)
      }
    }
  }

  private func renewed(_ actions: LFSActions) async throws -> LFSActions {
    try await repository.lfsActions(for: [pointer], at: revision)[pointer.digest] ?? actions
  }

  private func isRefusal(_ error: HubError) -> Bool {
    [400, 401, 403, 404, 410].contains(error.exchange?.status)
  }

  private func perform(_ actions: LFSActions) async throws {
    guard let upload = actions.upload else {
      if let verify = actions.verify { try await self.verify(verify) }
      connection.observe(.reused(.upload, name, bytes: pointer.size))
      return
    }
    connection.observe(.started(.upload, name, bytes: pointer.size))
    switch upload {
    case .basic(let action): try await sendWhole(action)
    case .multipart(let partSize, let parts, let completion):
      try await sendParts(parts, of: partSize, completion)
    }
    // The store takes other bytes under this digest without a word.
    try file.checkUnchanged()
    if let verify = actions.verify { try await self.verify(verify) }
    connection.observe(.finished(.upload, name, bytes: pointer.size))
  }

  /// Tells the Hub that the object is there; without it the commit would not find it.
  private func verify(_ action: LFSActions.Action) async throws {
    var headers = Repository.lfsHeaders
    for field in action.headers.fields { headers[field.name] = field.value }
    let body = JSON.object(["oid": .string(pointer.digest.hex), "size": .int(pointer.size)])
    // Servers answer it with anything or nothing.
    _ = try await connection.send(
      HTTPRequest(
        .post, action.url, headers: headers, body: .bytes(Array(body.serialized(.compact).utf8))),
      about: repository.id)
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
      let body = try file.body(range).observed { [connection, name] end in
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
        let reply = try await connection.send(request, about: repository.id)
        sent.withLock { $0 += range.count }
        return reply
      } catch {
        connection.observe(.advanced(.upload, name, bytes: -progress.withLock { $0 }))
        throw named(error, by: url)
      }
    }
  }

  /// A store that says no means other things by it than the Hub does.
  private func named(_ error: any Error, by url: WebURL) -> any Error {
    guard let failure = error as? HubError, let status = failure.exchange?.status,
      (400...499).contains(status), status != 429
    else { return error }
    return HubError(
      .storeRefused(host: url.origin.host), repository: failure.repository,
      exchange: failure.exchange)
  }

  // MARK: Parts

  private func sendParts(_ urls: [WebURL], of partSize: Int, _ completion: WebURL) async throws {
    let tags = try await withThrowingTaskGroup(of: (Int, String).self) { group in
      for (index, url) in urls.enumerated() {
        group.addTask { [self] in
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
