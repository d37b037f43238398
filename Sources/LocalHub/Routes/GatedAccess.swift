// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import NIOHTTP1

/// Gated repositories: asking for access, and granting it.
extension Route {
  /// The wish of the one who sends it; granted at once if the gate is "auto".
  static let askAccess = Route(
    .POST, path: "/:namespace/:repo/ask-access", access: .read
  ) { try $0.askAccess() }

  static let askDatasetAccess = Route(
    .POST, path: "/:type/:namespace/:repo/ask-access", access: .read
  ) { try $0.askAccess() }

  static let listAccessRequests = Route(
    .GET, path: "/api/:type/:namespace/:repo/user-access-request/:status", access: .write
  ) { exchange in
    guard let status = AccessRequest.Status(rawValue: try exchange.name("status")) else {
      throw HubFailure.badRequest("The list is \"pending\", \"accepted\" or \"rejected\"")
    }
    let requests = try exchange.repository.accessRequests().filter { $0.status == status }
    return exchange.page(requests, size: exchange.service.configuration.pageSize) { $0.listed }
  }

  static let handleAccessRequest = Route(
    .POST, path: "/api/:type/:namespace/:repo/user-access-request/handle", access: .write
  ) { exchange in
    let body = try exchange.json()
    guard let status = body["status"]?.string.flatMap(AccessRequest.Status.init) else {
      throw HubFailure.badRequest("\"status\" must be \"accepted\", \"rejected\" or \"pending\"")
    }
    let request = try exchange.repository.accessRequests().first { request in
      request.user == body["user"]?.string || request.id == body["requestId"]?.string
    }
    guard let request else { throw HubFailure(.notFound, "There is no such access request") }
    guard request.status != status else {
      throw HubFailure(.notFound, "The access request is \(status.rawValue) already")
    }
    try exchange.repository.setAccess(of: request.user, to: status)
    return .json([:])
  }

  static let grantAccess = Route(
    .POST, path: "/api/:type/:namespace/:repo/user-access-request/grant", access: .write
  ) { exchange in
    guard let user = try exchange.json()["user"]?.string, !user.isEmpty, user.utf8.count <= 96
    else {
      throw HubFailure.badRequest("\"user\" is required")
    }
    guard exchange.service.accounts.tokens.contains(where: { $0.user == user }) else {
      throw HubFailure(.notFound, "There is no user \(user)")
    }
    try exchange.repository.setAccess(of: user, to: .accepted)
    return .json([:])
  }

  /// Whether the caller may have the repository's files.
  static let authCheck = Route(
    .GET, path: "/api/:type/:namespace/:repo/auth-check", access: .content
  ) { _ in .json([:]) }
}

extension Exchange {
  fileprivate func askAccess() throws -> Response {
    try service.requireWritable()
    guard let name = caller.name else {
      throw HubFailure(.unauthorized, "Invalid username or password.")
    }
    guard let gate = try repository.settings.gate else {
      throw HubFailure.badRequest("The repository is not gated")
    }
    let known = try repository.accessRequests().first { $0.user == name }
    let status = known?.status ?? (gate == "auto" ? .accepted : .pending)
    if known == nil { try repository.setAccess(of: name, to: status) }
    guard request.wantsPage else { return .json(["status": .string(status.rawValue)]) }
    return Response(status: .seeOther).adding("Location", "/\(try repository.id.webPath)")
  }
}

extension AccessRequest {
  fileprivate var listed: JSON {
    [
      "requestId": .string(id), "status": .string(status.rawValue),
      "timestamp": .string(since.iso8601),
      "user": ["user": .string(user), "fullname": .string(user), "email": .null],
    ]
  }
}
