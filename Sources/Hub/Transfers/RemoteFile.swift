// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// One file of a repository at a commit, read by ranges straight from where it is stored.
///
/// The Hub answers with a redirect to the store; its target is kept and used again, so that many ranges
/// cost one request of the Hub's quota. When it expires, the Hub is asked anew.
final class RemoteFile: Sendable {
  let repository: Repository
  let path: String
  let commit: CommitID
  /// The length that the listing tells; nil if unknown.
  private let size: Int?
  private let location = Mutex<WebURL?>(nil)

  /// How far into a whole file one may be when the server sends it instead of a range: reading on is
  /// cheaper than failing.
  private static let slack = 8 << 20

  init(_ repository: Repository, _ path: String, at commit: CommitID, size: Int? = nil) {
    self.repository = repository
    self.path = path
    self.commit = commit
    self.size = size
  }

  /// Reads a range, going on where it was when a connection breaks.
  ///
  /// - Parameter receive: Gets the bytes in order, each piece with its offset in the file, on the
  ///   transport's thread.
  /// - Throws: `HubError`; of kind `rangesIgnored` if the server sends whole files only and the range
  ///   is far into the file.
  func read(
    _ range: Range<Int>, receive: @escaping @Sendable (UnsafeRawBufferPointer, Int) throws -> Void
  ) async throws {
    let connection = repository.connection
    let cursor = Cursor(range)
    var retries = HubConnection.Retries(connection.configuration.retry)
    var refusals = 0
    while !cursor.isDone {
      let start = cursor.position
      let url = location.withLock { $0 } ?? resolveURL
      let request = self.request(from: url, cursor, receive)
      let outcome = try await attempt(request)
      if cursor.position > start {
        retries.reset()
        refusals = 0
      }
      if cursor.isDone { return }
      if case .success(let reply) = outcome, isExpiry(reply), refusals < 3 {
        refusals += 1
        location.withLock { $0 = nil }
        continue
      }
      if case .success(let reply) = outcome, reply.isSuccess {
        try check(reply, request, start)
        if cursor.position > start { continue }
      }
      try await connection.pause(&retries, after: cut(outcome), request, about: repository.id)
    }
  }

  /// A range's bytes in memory.
  func bytes(_ range: Range<Int>) async throws -> [UInt8] {
    let buffer = Mutex<[UInt8]>([])
    buffer.withLock { $0.reserveCapacity(range.count) }
    try await read(range) { bytes, _ in buffer.withLock { $0 += bytes } }
    return buffer.withLock { $0 }
  }

  private var resolveURL: WebURL {
    repository.urls.file(repository.id, commit.revision, path)
  }

  private func request(
    from url: WebURL, _ cursor: Cursor,
    _ receive: @escaping @Sendable (UnsafeRawBufferPointer, Int) throws -> Void
  ) -> HTTPRequest {
    let start = cursor.position
    let sink = HTTPSink.stream(
      accept: { reply in
        switch reply.status {
        case 206: self.isRight(reply, start) && cursor.begin(at: start)
        case 200: start <= Self.slack && cursor.begin(at: 0)
        default: false
        }
      },
      receive: { bytes in
        if let (wanted, offset) = cursor.take(bytes.count) {
          try receive(UnsafeRawBufferPointer(rebasing: bytes[wanted]), offset)
        }
        if cursor.isDone { throw Enough() }
      })
    let range = "bytes=\(start)-\(cursor.range.upperBound - 1)"
    return HTTPRequest(.get, url, headers: ["Range": range], sink: sink)
  }

  private func attempt(_ request: HTTPRequest) async throws -> Result<HTTPResponse, TransportError>
  {
    do {
      let outcome = try await repository.connection.attempt(request, about: repository.id)
      if case .success(let reply) = outcome, reply.isSuccess,
        reply.url.origin != repository.urls.endpoint.origin
      {
        location.withLock { $0 = reply.url }
      }
      return outcome
    } catch is Enough {
      return .success(HTTPResponse(url: request.url, status: 206))
    }
  }

  /// Whether the store refuses an address that the Hub has given out.
  private func isExpiry(_ reply: HTTPResponse) -> Bool {
    [400, 401, 403, 404, 410].contains(reply.status)
      && reply.url.origin != repository.urls.endpoint.origin
  }

  private func check(_ reply: HTTPResponse, _ request: HTTPRequest, _ start: Int) throws {
    let exchange = HubError.Exchange(
      method: request.method.rawValue, url: reply.url.description, status: reply.status)
    if reply.status == 200, start > Self.slack {
      throw HubError(.rangesIgnored, repository: repository.id, exchange: exchange)
    }
    if reply.status == 206, !isRight(reply, start) {
      throw HubError(
        .unexpectedReply("another range than the one asked for, or of another file"),
        repository: repository.id, exchange: exchange)
    }
  }

  /// Whether a reply is the range from `start` on of a file of the right length.
  private func isRight(_ reply: HTTPResponse, _ start: Int) -> Bool {
    guard let told = reply.contentRange, told.range.lowerBound == start else { return false }
    guard let size, let length = told.size else { return true }
    return length == size
  }

  /// A success without a byte of what was asked for, as the break that it is.
  private func cut(
    _ outcome: Result<HTTPResponse, TransportError>
  ) -> Result<HTTPResponse, TransportError> {
    guard case .success(let reply) = outcome, reply.isSuccess else { return outcome }
    return .failure(
      TransportError(
        kind: .interrupted, origin: reply.url.origin, reason: "the body ends too early"))
  }
}

/// Ends a request of which everything wanted has come.
private struct Enough: Error {}

/// How far a range has been read.
private final class Cursor: Sendable {
  private struct State {
    var position: Int
    /// The offset in the file of the next byte that comes.
    var incoming = 0
  }

  let range: Range<Int>
  private let state: Mutex<State>

  init(_ range: Range<Int>) {
    self.range = range
    state = Mutex(State(position: range.lowerBound))
  }

  var position: Int { state.withLock { $0.position } }
  var isDone: Bool { position >= range.upperBound }

  /// A body begins that starts at an offset of the file.
  func begin(at offset: Int) -> Bool {
    state.withLock { $0.incoming = offset }
    return true
  }

  /// Which of the next `count` bytes are wanted, and the offset in the file of the first of them.
  func take(_ count: Int) -> (wanted: Range<Int>, offset: Int)? {
    state.withLock { state in
      let skip = state.position - state.incoming
      state.incoming += count
      guard skip < count else { return nil }
      let end = min(count, skip + range.upperBound - state.position)
      defer { state.position += end - skip }
      return (skip..<end, state.position)
    }
  }
}

extension Repository {
  /// A range of a file's bytes at a commit, read into memory.
  ///
  /// - Throws: `HubError`; of kind `rangeNotSatisfiable` if the file is shorter.
  package func bytes(of path: String, _ range: Range<Int>, at commit: CommitID) async throws
    -> [UInt8]
  {
    try SafePath.check(path)
    return try await connection.permits.withPermit {
      try await RemoteFile(self, path, at: commit).bytes(range)
    }
  }
}
