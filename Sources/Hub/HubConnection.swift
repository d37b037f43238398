// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc
internal import Logging
internal import Synchronization

/// The way to one Hub: adds who asks, follows redirects, tries again, and names what failed.
///
/// The token goes to the Hub's own origin and nowhere else, whoever gave the address.
final class HubConnection: Sendable {
  let configuration: HubConfiguration
  let urls: HubURLs
  let observe: HubObserver
  private let transport: CurlTransport
  private let tokens: TokenSource
  private let logger: Logger
  /// Of the requests of transfers, over all of them.
  let permits: Permits
  private let warnings = Mutex<Set<String>>([])

  /// Redirects followed before a server is taken to be running in circles.
  private static let hopLimit = 10

  init(_ configuration: HubConfiguration, logger: Logger, observe: @escaping HubObserver) {
    self.configuration = configuration
    urls = HubURLs(endpoint: configuration.endpoint)
    transport = CurlTransport(configuration.transport)
    tokens = TokenSource(configuration, transport)
    permits = Permits(configuration.connections)
    self.logger = logger
    self.observe = observe
  }

  /// Sends a request, again if the failure may pass, and returns the successful reply.
  ///
  /// - Parameters:
  ///   - repository: What the request is about; the same status means other things with and without.
  ///   - retry: Nil for the configuration's own policy.
  /// - Throws: `HubError`, `CancellationError`, or what the request's body or sink threw.
  func send(
    _ request: HTTPRequest, about repository: RepoID? = nil, retry: RetryPolicy? = nil
  ) async throws -> HTTPResponse {
    var retries = Retries(retry ?? configuration.retry)
    while true {
      let outcome = try await attempt(request, about: repository)
      if case .success(let reply) = outcome, reply.isSuccess { return reply }
      try await pause(&retries, after: outcome, request, about: repository)
    }
  }

  /// What is left of a request's retries.
  struct Retries {
    let policy: RetryPolicy
    fileprivate var attempt = 0

    init(_ policy: RetryPolicy) { self.policy = policy }

    /// Begins anew, after progress.
    mutating func reset() { attempt = 0 }
  }

  /// Waits until a failed request may be made again.
  ///
  /// - Throws: The failure as a `HubError` if it is not to be tried again.
  func pause(
    _ retries: inout Retries, after outcome: Result<HTTPResponse, TransportError>,
    _ request: HTTPRequest, about repository: RepoID?
  ) async throws {
    let failure: HubError
    let reason: HubEvent.WaitReason
    let isTransient: Bool
    var isUnreachable = false
    switch outcome {
    case .success(let reply):
      let bare = HubError(reply, request, repository: repository) { $0 }
      failure = await redacted(bare)
      reason = reply.status == 429 ? .rateLimit : .busy(status: reply.status)
      isTransient = RetryPolicy.isTransient(status: reply.status)
    case .failure(let error):
      failure = HubError(error, request, repository: repository)
      reason = .noReply(reason: error.reason)
      isTransient = error.isTransient
      isUnreachable = error.kind == .unreachable
    }
    guard isTransient,
      let delay = retries.policy.delay(
        after: retries.attempt, isUnreachable: isUnreachable, reply: try? outcome.get(),
        now: time(nil))
    else { throw failure }
    retries.attempt += 1
    // Fewer at a time, for as long as the server has not enough for all.
    if case .busy = reason { permits.cut() }
    if reason == .rateLimit { permits.cut() }
    try await wait(delay, reason)
  }

  /// The failure without the tokens that the server may have repeated.
  private func redacted(_ error: HubError) async -> HubError {
    guard var exchange = error.exchange, let message = exchange.message else { return error }
    exchange.message = await tokens.redacting(message)
    return HubError(error.kind, repository: error.repository, exchange: exchange)
  }

  func wait(_ seconds: Double, _ reason: HubEvent.WaitReason) async throws {
    observe(.waiting(reason, seconds: seconds))
    logger.debug("waiting \(seconds) s: \(reason)")
    try await Task.sleep(for: .seconds(seconds))
  }

  /// Sends a request once: the reply whatever its status, or why there was none.
  func attempt(
    _ request: HTTPRequest, about repository: RepoID?
  ) async throws -> Result<HTTPResponse, TransportError> {
    do {
      return .success(try await follow(request, repository))
    } catch let error as TransportError {
      return .failure(error)
    }
  }

  /// The last reply of a chain of redirects.
  private func follow(_ request: HTTPRequest, _ repository: RepoID?) async throws -> HTTPResponse {
    if configuration.isOffline {
      throw HubError(.offline, repository: repository)
    }
    var request = request
    for _ in 0..<Self.hopLimit {
      let reply = try await perform(request)
      guard let location = reply.redirect else { return reply }
      let isReading = request.method == .get || request.method == .head
      // Only these two redirects keep the method.
      guard isReading || [307, 308].contains(reply.status) else { return reply }
      guard let target = request.url.resolving(location) else {
        throw refusal("its target is not an http address", request, reply, repository)
      }
      if request.url.origin.isSecure, !target.origin.isSecure {
        throw refusal("it leads from https to http", request, reply, repository)
      }
      if !isReading, request.url.origin == configuration.endpoint.origin,
        target.origin != configuration.endpoint.origin
      {
        throw refusal("it leads what is sent away from the Hub", request, reply, repository)
      }
      if target.origin != request.url.origin { request.headers.remove("Authorization") }
      request.url = target
    }
    throw HubError(
      .redirectRefused("there are too many of them"), repository: repository,
      exchange: .init(method: request.method.rawValue, url: request.url.description))
  }

  private func refusal(
    _ reason: String, _ request: HTTPRequest, _ reply: HTTPResponse, _ repository: RepoID?
  ) -> HubError {
    HubError(
      .redirectRefused(reason), repository: repository,
      exchange: .init(
        method: request.method.rawValue, url: reply.url.description, status: reply.status))
  }

  private func perform(_ request: HTTPRequest) async throws -> HTTPResponse {
    var request = request
    request.headers["User-Agent"] = configuration.userAgent
    if request.method == .get, !request.sink.isStream, request.patience == nil {
      request.patience = configuration.metadataPatience
    }
    guard request.sendsToken, request.headers["Authorization"] == nil,
      request.url.origin == configuration.endpoint.origin
    else { return try await transmit(request) }
    let token = try await tokens.current()
    request.headers["Authorization"] = token?.authorization
    let reply = try await transmit(request)
    // A token that has died early; the request's body can be read again.
    guard reply.status == 401, let another = try await tokens.replacement(for: token) else {
      return reply
    }
    request.headers["Authorization"] = another.authorization
    return try await transmit(request)
  }

  private func transmit(_ request: HTTPRequest) async throws -> HTTPResponse {
    let reply = try await transport.perform(request)
    logger.debug("\(request.method.rawValue) \(request.url) \(reply.status)")
    for warning in reply.headers.values("X-HF-Warning") { warn(warning) }
    return reply
  }

  /// Passes on a warning of the Hub, once for each topic.
  private func warn(_ text: String) {
    let topic = String(text.prefix { $0 != ";" })
    if warnings.withLock({ $0.insert(topic).inserted }) { observe(.warning(text.printable)) }
  }
}

/// The requests whose reply is a JSON document.
extension HubConnection {
  func json(_ url: WebURL, about repository: RepoID? = nil) async throws -> JSON {
    try await document(HTTPRequest(.get, url), about: repository).json
  }

  func json(
    _ method: HTTPRequest.Method, _ url: WebURL, _ body: JSON, about repository: RepoID? = nil,
    headers: HTTPHeaders = ["Content-Type": "application/json"], retry: RetryPolicy? = nil
  ) async throws -> JSON {
    let bytes = Array(body.serialized(.compact).utf8)
    let request = HTTPRequest(method, url, headers: headers, body: .bytes(bytes))
    return try await document(request, about: repository, retry: retry).json
  }

  /// The reply with its body as JSON; an empty body is `null`.
  func document(
    _ request: HTTPRequest, about repository: RepoID? = nil, retry: RetryPolicy? = nil
  ) async throws -> (reply: HTTPResponse, json: JSON) {
    let reply = try await send(request, about: repository, retry: retry)
    if reply.body.isEmpty { return (reply, .null) }
    do throws(JSONError) {
      return (reply, try JSON.parse(reply.body))
    } catch {
      throw HubError(
        .unexpectedReply("it is not JSON"), repository: repository,
        exchange: .init(
          method: request.method.rawValue, url: reply.url.description, status: reply.status))
    }
  }
}
