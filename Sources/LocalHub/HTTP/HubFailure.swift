// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import NIOHTTP1

/// A refusal: the status, the code that clients switch on, and the text for people.
struct HubFailure: Error {
  let status: HTTPResponseStatus
  /// The value of `X-Error-Code`.
  var code: String?
  let message: String
  /// More members of the body.
  var details: [JSON.Member] = []
  var headers = HTTPHeaders()

  init(_ status: HTTPResponseStatus, code: String? = nil, _ message: String) {
    self.status = status
    self.code = code
    self.message = message
  }

  /// - Parameter anonymous: Whether the request came without a token: then the hub says 401, so
  ///   that nobody learns which private repositories exist.
  static func repositoryNotFound(anonymous: Bool) -> HubFailure {
    HubFailure(
      anonymous ? .unauthorized : .notFound, code: "RepoNotFound",
      anonymous ? "Invalid username or password." : "Repository not found")
  }

  static func revisionNotFound(_ revision: String) -> HubFailure {
    HubFailure(.notFound, code: "RevisionNotFound", "Invalid rev id: \(revision)")
  }

  static func entryNotFound(_ path: String, revision: String, commit: String) -> HubFailure {
    var failure = HubFailure(
      .notFound, code: "EntryNotFound", "\(path) does not exist on \"\(revision)\"")
    failure.headers.add(name: "X-Repo-Commit", value: commit)
    return failure
  }

  static let invalidCredentials = HubFailure(
    .unauthorized, "Invalid credentials in Authorization header")

  static func tooLarge(limit: Int) -> HubFailure {
    HubFailure(.payloadTooLarge, "The request's body is larger than \(limit) bytes")
  }

  static func badRequest(_ message: String) -> HubFailure { HubFailure(.badRequest, message) }

  var response: Response {
    var response = Response.json(
      .object([JSON.Member("error", .string(message))] + details), status: status)
    // A header is one line of ASCII, whatever the client made us repeat to it.
    let line = String(
      message.unicodeScalars.map { (32...126).contains($0.value) ? Character($0) : "?" })
    response.headers.add(name: "X-Error-Message", value: line)
    if let code { response.headers.add(name: "X-Error-Code", value: code) }
    if status == .unauthorized {
      response.headers.add(
        name: "WWW-Authenticate", value: "Bearer realm=\"Authentication required\"")
    }
    for (name, value) in headers { response.headers.add(name: name, value: value) }
    return response
  }
}
