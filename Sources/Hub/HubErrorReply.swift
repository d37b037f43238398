// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Reads what a failed reply says.
extension HubError {
  /// The facts of a reply whose status is not a success, tested in the Hub's order.
  ///
  /// - Parameter redacting: Makes unreadable what the server should not have repeated.
  init(
    _ reply: HTTPResponse, _ request: HTTPRequest, repository: RepoID?,
    redacting: (String) -> String
  ) {
    let words = Self.message(of: reply).map(redacting)
    let id = ["X-Request-Id", "X-Amzn-Trace-Id", "X-Amz-Cf-Id"].lazy
      .compactMap { reply.headers[$0] }.first
    self.init(
      Self.kind(of: reply, message: words ?? "", aboutRepository: repository != nil),
      repository: repository,
      exchange: Exchange(
        method: request.method.rawValue, url: reply.url.description, status: reply.status,
        message: words, requestID: id))
  }

  private static func kind(
    of reply: HTTPResponse, message: String, aboutRepository: Bool
  ) -> Kind {
    switch reply.headers["X-Error-Code"] {
    case "RevisionNotFound": return .revisionNotFound
    case "EntryNotFound": return .entryNotFound
    case "GatedRepo": return .gated
    default: break
    }
    if reply.headers["X-Error-Message"] == "Access to this resource is disabled." {
      return .repositoryDisabled
    }
    if reply.headers["X-Error-Code"] == "RepoNotFound" { return .repositoryNotFoundOrPrivate }
    switch reply.status {
    case 401 where message.contains("Invalid credentials in Authorization header"):
      return .invalidToken
    case 401: return aboutRepository ? .repositoryNotFoundOrPrivate : .unauthorized
    case 402, 403: return .forbidden
    case 404: return .notFound
    case 409: return .conflict
    case 412: return .staleParent
    case 413: return .payloadTooLarge
    case 416: return .rangeNotSatisfiable
    case 429: return .rateLimited(seconds: RateLimit(reply.headers)?.wait)
    case 400...499: return .badRequest
    case 500...599: return .server
    default: return .unexpectedReply("status \(reply.status)")
    }
  }

  /// The server's words: from the headers, else from any of the shapes that bodies have.
  private static func message(of reply: HTTPResponse) -> String? {
    let text = message(in: reply.body) ?? reply.headers["X-Error-Message"]
    guard let text, !text.isEmpty else { return nil }
    // A long trace helps nobody.
    return String(text.prefix(2000)).printable
  }

  private static func message(in body: [UInt8]) -> String? {
    guard !body.isEmpty else { return nil }
    guard let json = try? JSON.parse(body) else {
      let text = String(decoding: body, as: UTF8.self)
      // A page of HTML says nothing that a terminal could show.
      return text.hasPrefix("<") ? nil : text
    }
    let lines = errorMessages(in: json)
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  /// The messages of an error body: `error` as text or list, `error_description`, `errors`.
  static func errorMessages(in json: JSON) -> [String] {
    if let details = json["error_description"]?.string { return [details] }
    if let text = json["error"]?.string { return [text] }
    if let texts = json["error"]?.array { return texts.compactMap(\.string) }
    if let errors = json["errors"]?.array { return errors.compactMap { $0["message"]?.string } }
    return [json["message"]?.string].compactMap { $0 }
  }
}
