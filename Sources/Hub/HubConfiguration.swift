// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a client has to be told; nothing is read from the environment.
package struct HubConfiguration: Sendable {
  /// The Hub's address, such as `https://huggingface.co`.
  package var endpoint: WebURL
  /// Nil to be anonymous.
  package var token: Token?
  /// Who asks in place of a fixed token; a failure to get a token from it is one of the request.
  package var trustedPublisher: TrustedPublisher?
  /// Name and version of the program: `hubmerge/1.0.0; swift/6.3`.
  package var userAgent: String
  /// Whether every request fails at once, so that only the cache is used.
  package var isOffline = false
  package var retry = RetryPolicy()
  package var transport = CurlTransport.Configuration()
  /// Requests of transfers that run at the same time at most; fewer while the server cannot keep up.
  package var connections = 16
  /// Seconds without a byte after which a request for metadata has failed; nil for the transport's own.
  package var metadataPatience: Int?
  /// Bytes of a large file that are fetched by one request, several of them side by side.
  package var pieceLength = 16 << 20
  /// What goes into one commit of an upload; more makes several.
  package var commitLimits = CommitLimits()

  package init(endpoint: WebURL, token: Token? = nil, userAgent: String) {
    self.endpoint = endpoint
    self.token = token
    self.userAgent = userAgent
  }
}
