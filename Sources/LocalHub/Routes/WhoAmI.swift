// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import NIOHTTP1
internal import Storage

extension Route {
  static let whoAmI = Route(.GET, path: "/api/whoami-v2", access: .anyone) { exchange in
    guard let name = exchange.caller.name, let role = exchange.caller.role else {
      throw HubFailure(.unauthorized, "Invalid username or password.")
    }
    var organizations: [String] = []
    if case .holder(let token) = exchange.caller { organizations = token.namespaces ?? [] }
    return .json([
      "type": "user", "id": .string(String(Digest.sha256(Array(name.utf8)).hex.prefix(24))),
      "name": .string(name), "fullname": .string(name), "email": .null, "emailVerified": true,
      "canPay": false, "isPro": false,
      "orgs": .array(
        organizations.map { ["type": "org", "name": .string($0), "fullname": .string($0)] }),
      "auth": [
        "type": "access_token",
        "accessToken": ["displayName": "local", "role": .string(role == .read ? "read" : "write")],
      ],
    ])
  }
}
