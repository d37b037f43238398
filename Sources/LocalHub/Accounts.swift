// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a token allows.
package enum Role: String, Sendable {
  /// Reading, private repositories of the token's namespaces included.
  case read
  /// Also creating, changing and deleting repositories of the token's namespaces.
  case write
  /// Everything in every namespace.
  case admin
}

/// A user's token.
package struct AccessToken: Sendable {
  let user: String
  let secret: Secret
  let role: Role
  let namespaces: [String]?

  /// - Parameter namespaces: Organisations that the token is good for besides the user's own name;
  ///   nil for all.
  package init(user: String, text: String, role: Role, namespaces: [String]? = nil) {
    self.user = user
    secret = Secret(text)
    self.role = role
    self.namespaces = namespaces
  }
}

/// Who sent a request.
enum Caller: Sendable {
  /// Somebody without a token.
  case anonymous(mayWrite: Bool)
  /// Somebody on a server without tokens, who may do everything.
  case local
  case holder(AccessToken)

  var name: String? {
    switch self {
    case .anonymous: nil
    case .local: "local"
    case .holder(let token): token.user
    }
  }

  var isAnonymous: Bool { if case .anonymous = self { true } else { false } }

  var role: Role? {
    switch self {
    case .anonymous: nil
    case .local: .write
    case .holder(let token): token.role
    }
  }

  func belongs(to namespace: String?) -> Bool {
    switch self {
    case .anonymous: false
    case .local: true
    case .holder(let token):
      token.role == .admin || token.namespaces == nil || token.user == namespace
        || token.namespaces?.contains { $0 == namespace } == true
    }
  }

  func canWrite(to namespace: String?) -> Bool {
    if case .anonymous(let mayWrite) = self { return mayWrite }
    return role != .read && belongs(to: namespace)
  }
}

/// The tokens that the server knows.
struct Accounts: Sendable {
  let tokens: [AccessToken]
  let anonymousWrite: Bool

  /// - Throws: `HubFailure` 401 if a token is given that nobody has.
  func caller(of request: Request) throws(HubFailure) -> Caller {
    guard !tokens.isEmpty else { return .local }
    guard let text = request.token else { return .anonymous(mayWrite: anonymousWrite) }
    // Every token is compared, so that the time does not tell which one was close.
    var found: AccessToken?
    for token in tokens where token.secret.matches(text) { found = token }
    guard let found else { throw .invalidCredentials }
    return .holder(found)
  }
}
