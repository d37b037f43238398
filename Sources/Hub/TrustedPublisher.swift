// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A CI job that the Hub knows by the identity that its CI system vouches for; it needs no stored token.
///
/// The identity token is exchanged for a short-lived one of the Hub (RFC 8693), which is good for one
/// repository, or for one user.
package struct TrustedPublisher: Sendable {
  /// Where the job's identity token comes from.
  package enum Identity: Sendable {
    /// It was handed over; there will be no other one.
    case token(Token)
    /// GitHub Actions gives one out at this address, as often as it is asked.
    case gitHubActions(url: WebURL, token: Token)
  }

  /// What the Hub's token is to be for: `namespace/name`, `datasets/namespace/name`, a user.
  package let resource: String
  package let identity: Identity

  package init(resource: String, identity: Identity) {
    self.resource = resource
    self.identity = identity
  }
}
