// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Who a token belongs to.
package struct Account: Sendable, Hashable {
  package enum Role: String, Sendable {
    case read, write, fineGrained
  }

  package let name: String
  package let fullName: String?
  package let organizations: [String]
  /// What the token may do; nil if the Hub does not tell.
  package let role: Role?
}

extension HubClient {
  /// The owner of the token. The Hub counts these requests strictly: ask once and keep the answer.
  package func whoAmI() async throws -> Account {
    let json = try await connection.json(connection.urls.whoAmI)
    guard let name = json["name"]?.string else {
      throw HubError(.unexpectedReply("an account without a name"))
    }
    return Account(
      name: name, fullName: json["fullname"]?.string,
      organizations: json["orgs"]?.array?.compactMap { $0["name"]?.string } ?? [],
      role: json["auth"]?["accessToken"]?["role"]?.string.flatMap(Account.Role.init))
  }
}
