// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc

/// The token of each moment: a fixed one, or those that a trusted publisher gets one after the other.
///
/// Requests under way keep the token that they were sent with; the next one takes what is good then, so
/// that a long transfer outlives its first token.
actor TokenSource {
  private struct Minted {
    let token: Token
    let expiry: ContinuousClock.Instant
  }

  private let configuration: HubConfiguration
  private let transport: CurlTransport
  private var minted: Minted?
  /// The exchange under way: whoever needs a token meanwhile waits for the same one.
  private var exchange: Task<Minted, any Error>?

  /// How long before its end a token is replaced, if another one can be had.
  private static let margin = Duration.seconds(300)

  init(_ configuration: HubConfiguration, _ transport: CurlTransport) {
    self.configuration = configuration
    self.transport = transport
  }

  /// The token to send now; nil to be anonymous.
  ///
  /// - Throws: `HubError` of kind `publisherRefused`, or why no token could be asked for.
  func current() async throws -> Token? {
    guard let publisher = configuration.trustedPublisher else { return configuration.token }
    if let minted, minted.expiry > .now + Self.margin || !publisher.canRenew {
      return minted.token
    }
    return try await renew(publisher)
  }

  /// Another token in place of one that the Hub has refused; nil if there is none.
  func replacement(for refused: Token?) async throws -> Token? {
    guard let publisher = configuration.trustedPublisher, publisher.canRenew, let refused else {
      return nil
    }
    // Somebody else may have noticed before.
    if let minted, minted.token != refused { return minted.token }
    return try await renew(publisher)
  }

  /// `message` without the tokens, should a server have repeated one.
  func redacting(_ message: String) -> String {
    [configuration.token, minted?.token].compactMap(\.self).reduce(message) { $1.redacting($0) }
  }

  private func renew(_ publisher: TrustedPublisher) async throws -> Token {
    if let exchange { return try await exchange.value.token }
    let task = Task { try await mint(publisher) }
    exchange = task
    defer { exchange = nil }
    let fresh = try await task.value
    minted = fresh
    return fresh.token
  }

  // MARK: The exchange

  private func mint(_ publisher: TrustedPublisher) async throws -> Minted {
    let identity = try await identity(of: publisher)
    let body = JSON.object([
      JSON.Member("grant_type", .string("urn:ietf:params:oauth:grant-type:token-exchange")),
      JSON.Member("subject_token_type", .string("urn:ietf:params:oauth:token-type:id_token")),
      JSON.Member("subject_token", .string(identity.secret)),
      JSON.Member("resource", .string(publisher.resource)),
    ])
    let request = HTTPRequest(
      .post, HubURLs(endpoint: configuration.endpoint).tokenExchange,
      headers: ["Content-Type": "application/json"],
      body: .bytes(Array(body.serialized(.compact).utf8)), sink: .memory(limit: 1 << 20))
    let reply = try await send(request)
    guard reply.isSuccess, let json = try? JSON.parse(reply.body),
      let token = json["access_token"]?.string.flatMap(Token.init)
    else { throw refusal(publisher, request, reply, secret: identity) }
    let lifetime = json["expires_in"]?.int ?? 3600
    return Minted(token: token, expiry: .now + .seconds(max(0, min(lifetime, 86_400))))
  }

  private func identity(of publisher: TrustedPublisher) async throws -> Token {
    switch publisher.identity {
    case .token(let token): return token
    case .gitHubActions(let url, let token):
      let audience = PercentEncoding.encode("\(configuration.endpoint.origin)")
      let separator = url.target.contains("?") ? "&" : "?"
      let request = HTTPRequest(
        .get,
        WebURL(origin: url.origin, target: "\(url.target)\(separator)audience=\(audience)"),
        headers: ["Authorization": token.authorization], sink: .memory(limit: 1 << 20))
      let reply = try await send(request)
      guard reply.isSuccess, let json = try? JSON.parse(reply.body),
        let identity = json["value"]?.string.flatMap(Token.init)
      else { throw refusal(publisher, request, reply, secret: token) }
      return identity
    }
  }

  /// Sends a request, again if the failure may pass. Redirects are not followed: nobody else is to get
  /// what proves who this job is.
  private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
    var request = request
    request.headers["User-Agent"] = configuration.userAgent
    var attempt = 0
    while true {
      var reply: HTTPResponse?
      do {
        let answer = try await transport.perform(request)
        guard RetryPolicy.isTransient(status: answer.status) else { return answer }
        reply = answer
      } catch let error as TransportError where error.isTransient {
        if attempt >= configuration.retry.retries {
          throw HubError(error, request, repository: nil)
        }
      } catch let error as TransportError {
        throw HubError(error, request, repository: nil)
      }
      guard let delay = configuration.retry.delay(after: attempt, reply: reply, now: time(nil))
      else {
        guard let reply else { throw HubError(.offline) }
        return reply
      }
      attempt += 1
      try await Task.sleep(for: .seconds(delay))
    }
  }

  private func refusal(
    _ publisher: TrustedPublisher, _ request: HTTPRequest, _ reply: HTTPResponse, secret: Token
  ) -> HubError {
    let failure = HubError(reply, request, repository: nil, redacting: secret.redacting)
    if reply.isSuccess {
      return HubError(.unexpectedReply("there is no token in it"), exchange: failure.exchange)
    }
    guard [400, 401, 403].contains(reply.status) else { return failure }
    return HubError(.publisherRefused(resource: publisher.resource), exchange: failure.exchange)
  }
}

extension TrustedPublisher {
  /// Whether there can be a second token after the first.
  fileprivate var canRenew: Bool {
    if case .gitHubActions = identity { true } else { false }
  }
}
