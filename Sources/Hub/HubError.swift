// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// Why a request, a transfer or a look into the cache failed.
package struct HubError: Error, Sendable {
  package enum Kind: Hashable, Sendable {
    // What the Hub said.
    case unauthorized
    case invalidToken
    /// The Hub does not trust this CI job to publish what the token would be for.
    case publisherRefused(resource: String)
    case gated
    case repositoryDisabled
    /// The Hub does not tell a missing repository from a private one.
    case repositoryNotFoundOrPrivate
    case revisionNotFound
    case entryNotFound
    case notFound
    case forbidden
    /// It exists already, or somebody else is changing it.
    case conflict
    /// The commit that was to be built on is not the newest any more.
    case staleParent
    case payloadTooLarge
    case rangeNotSatisfiable
    case badRequest
    /// Seconds that the Hub wants to be left alone, if it told.
    case rateLimited(seconds: Int?)
    case server
    /// The model card does not pass; the Hub's reasons.
    case cardRejected([String])
    /// Large files that a commit names and the store does not have, or has lost.
    case objectsMissing([Digest])
    /// There is a repository of this name already.
    case repositoryExists

    // What went wrong on the way.
    case offline
    case unreachable(host: String, reason: String)
    case insecure(host: String, reason: String)
    case timedOut(host: String)
    case interrupted(host: String, reason: String)
    /// A redirect that a client must not follow; why.
    case redirectRefused(String)
    /// A reply that is not what the protocol says; what is wrong with it.
    case unexpectedReply(String)
    /// The server sends whole files only.
    case rangesIgnored

    // What was found here.
    case corrupt(path: String, expected: String, actual: String)
    /// A path that would leave the folder, or that no repository may hold.
    case unsafePath(String)
    case notInCache
    case incompleteSnapshot(missing: [String])
    case diskFull(needed: Int, free: Int)
    /// A file that changed while it was being uploaded.
    case fileChanged(path: String)
    case nothingToUpload
  }

  /// The request that failed and what came back.
  package struct Exchange: Hashable, Sendable {
    package let method: String
    /// Without its query, where signatures are.
    package let url: String
    /// Nil if there was no reply.
    package var status: Int?
    /// The server's words.
    package var message: String?
    /// To be quoted when asking the Hub's support.
    package var requestID: String?
  }

  package let kind: Kind
  /// The repository that it was about.
  package let repository: RepoID?
  package let exchange: Exchange?

  package init(_ kind: Kind, repository: RepoID? = nil, exchange: Exchange? = nil) {
    self.kind = kind
    self.repository = repository
    self.exchange = exchange
  }
}

extension HubError {
  /// Whether trying again later, unchanged, makes sense.
  package var isTemporary: Bool {
    switch kind {
    case .rateLimited, .server, .unreachable, .timedOut, .interrupted: true
    default: false
    }
  }

  /// Whether the Hub could not be asked, so that the cache may answer in its place; an answer such as
  /// "not found" or "no access" never counts.
  package var isUnreachable: Bool {
    switch kind {
    case .offline, .server, .unreachable, .timedOut, .interrupted: true
    default: false
    }
  }

  /// The page for people of the repository, on the server that was asked; nil if none was.
  package var page: String? {
    guard let repository, let url = exchange.flatMap({ WebURL($0.url) }) else { return nil }
    return HubURLs(endpoint: WebURL(origin: url.origin, target: "/")).page(repository).text
  }

  /// A request that got no reply.
  init(_ error: TransportError, _ request: HTTPRequest, repository: RepoID?) {
    let host = error.origin.host
    let kind: Kind =
      switch error.kind {
      case .unreachable: .unreachable(host: host, reason: error.reason)
      case .insecure: .insecure(host: host, reason: error.reason)
      case .timedOut: .timedOut(host: host)
      case .interrupted: .interrupted(host: host, reason: error.reason)
      case .tooLong, .refused: .unexpectedReply(error.reason)
      }
    self.init(
      kind, repository: repository,
      exchange: Exchange(method: request.method.rawValue, url: request.url.description))
  }
}

extension HubError: CustomStringConvertible {
  /// A plain line for logs; programs word these facts themselves.
  package var description: String {
    var parts = ["\(kind)"]
    if let repository { parts.append("\(repository)") }
    if let exchange {
      parts.append("\(exchange.method) \(exchange.url)")
      if let status = exchange.status { parts.append("status \(status)") }
      if let message = exchange.message { parts.append(message) }
      if let id = exchange.requestID { parts.append("request \(id)") }
    }
    return parts.joined(separator: ", ")
  }
}
