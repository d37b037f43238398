// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

/// One kind of request that the server answers.
struct Route: Sendable {
  /// Who may come in.
  enum Access: Sendable {
    case anyone
    /// Whoever may see the repository that the path names.
    case read
    /// Whoever may also have its files: not everybody if it is gated.
    case content
    case write
    /// Whoever has a link that this server signed.
    case signed
  }

  /// What becomes of the request's body.
  enum Body: Sendable {
    /// Kept in memory, up to a number of bytes.
    case memory(limit: Int)
    /// Written to a file as it arrives.
    case file(@Sendable (Exchange) throws -> Spool)
  }

  let methods: [HTTPMethod]
  let pattern: [Substring]
  let access: Access
  let body: Body
  let answer: @Sendable (Exchange) throws -> Response

  /// - Parameter path: Segments of the path: literal, `:name` for any segment, `*name` for all that
  ///   remain. `:type` is `models` or `datasets`; `:repo` in a web path is the name of a repository
  ///   and `:repo.git` the same with that ending.
  init(
    _ methods: HTTPMethod..., path: StaticString, access: Access,
    body: Body = .memory(limit: 1 << 20), answer: @escaping @Sendable (Exchange) throws -> Response
  ) {
    self.methods = methods
    pattern = path.description.split(separator: "/")
    self.access = access
    self.body = body
    self.answer = answer
  }

  /// The named segments, if the path has this form.
  func match(_ segments: [String]) -> [Substring: String]? {
    var found: [Substring: String] = [:]
    for (index, part) in pattern.enumerated() {
      if part.hasPrefix("*") {
        found[part.dropFirst()] = segments.dropFirst(index).joined(separator: "/")
        return found
      }
      guard index < segments.count else { return nil }
      let segment = segments[index]
      // Below /api are no pages, whoever may call himself so.
      if index == 0, segment == "api", part != "api" { return nil }
      if part == ":type" {
        guard segment == "models" || segment == "datasets" else { return nil }
        found["type"] = segment
      } else if part == ":repo.git" {
        guard segment.hasSuffix(".git") else { return nil }
        found["repo"] = String(segment.dropLast(4))
      } else if part.hasPrefix(":") {
        found[part.dropFirst()] = segment
      } else if part != segment {
        return nil
      }
    }
    return segments.count == pattern.count ? found : nil
  }
}

/// Finds the route of a request and checks, before any of the body is read, who may come in.
struct Router: Sendable {
  let routes: [Route]
  let service: Service

  /// - Throws: `HubFailure` if the request is not to be answered, `Moved` if its repository has
  ///   another name by now.
  func admit(_ request: Request) throws -> (Route, Exchange) {
    if request.isFromAnotherSite {
      throw HubFailure(.forbidden, "A page of another site cannot change anything on this hub")
    }
    for route in routes {
      guard route.methods.contains(request.method), let names = route.match(request.segments) else {
        continue
      }
      var exchange = Exchange(
        request: request, names: names, service: service,
        caller: .anonymous(mayWrite: false))
      if case .signed = route.access {
        try service.signer.check(request)
      } else {
        exchange.caller = try service.accounts.caller(of: request)
        try admit(&exchange, route.access)
      }
      return (route, exchange)
    }
    throw HubFailure(
      .notImplemented, "This hub does not know \(request.method) \(request.target.prefix(200))")
  }

  private func admit(_ exchange: inout Exchange, _ access: Route.Access) throws {
    let changes = ![.GET, .HEAD].contains(exchange.request.method)
    if case .anyone = access { return }
    guard let id = exchange.repositoryID else {
      throw HubFailure.repositoryNotFound(anonymous: exchange.caller.isAnonymous)
    }
    guard let repository = service.store.repository(id) else {
      if let present = service.store.present(id), service.store.repository(present) != nil {
        throw Moved(target: exchange.request.target(renaming: id, to: present))
      }
      throw HubFailure.repositoryNotFound(anonymous: exchange.caller.isAnonymous)
    }
    let settings = try repository.settings
    guard !settings.isPrivate || exchange.caller.belongs(to: id.namespace) else {
      throw HubFailure.repositoryNotFound(anonymous: exchange.caller.isAnonymous)
    }
    switch access {
    case .content:
      guard try repository.admits(exchange.caller) else {
        throw HubFailure.gated(id, anonymous: exchange.caller.isAnonymous)
      }
    case .write: try exchange.requireWriting(to: id.namespace)
    default: break
    }
    if changes, case .write = access { try service.requireWritable() }
    exchange.found = repository
  }
}

/// A repository has another name by now.
struct Moved: Error {
  let target: String

  var response: Response {
    var response = Response.json([:], status: .temporaryRedirect)
    response.headers.add(name: "Location", value: target)
    return response
  }
}

extension Request {
  /// The target with one repository's name in place of another's.
  fileprivate func target(renaming id: RepoID, to new: RepoID) -> String {
    guard let place = target.firstRange(of: "/\(id)") else { return "/\(new)" }
    return target.replacingCharacters(in: place, with: "/\(new)")
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
