// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Hub
internal import SystemPackage

/// The program's surroundings: the one place that reads environment variables.
struct Environment: Sendable {
  private let variables: @Sendable (String) -> String?

  static let process = Environment { name in getenv(name).map { String(cString: $0) } }

  init(_ variables: @escaping @Sendable (String) -> String?) { self.variables = variables }

  /// The value of a variable that is set to something.
  subscript(name: String) -> String? {
    variables(name).flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether a variable says yes: `1`, `ON`, `YES` or `TRUE` in any case.
  func isTrue(_ name: String) -> Bool {
    ["1", "ON", "YES", "TRUE"].contains(self[name]?.uppercased())
  }

  // MARK: The Hub

  var endpoint: String {
    var text = self["HF_ENDPOINT"] ?? "https://huggingface.co"
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

  var hubHome: FilePath {
    if let home = self["HF_HOME"] { return expanded(home) }
    let cache = self["XDG_CACHE_HOME"].map(expanded) ?? home.appending(".cache")
    return cache.appending("huggingface")
  }

  var hubCache: FilePath {
    (self["HF_HUB_CACHE"] ?? self["HUGGINGFACE_HUB_CACHE"]).map(expanded)
      ?? hubHome.appending("hub")
  }

  /// Where hubmerge keeps work in progress.
  var workspace: FilePath { hubHome.appending("hubmerge") }

  /// Where it is noted which contents of the cache have been verified.
  var digestJournals: FilePath { workspace.appending("digests") }

  var isOffline: Bool { isTrue("HF_HUB_OFFLINE") || isTrue("TRANSFORMERS_OFFLINE") }
  var disablesSymlinks: Bool { isTrue("HF_HUB_DISABLE_SYMLINKS") }

  /// The file that a login has left the token in.
  var tokenFile: FilePath {
    self["HF_TOKEN_PATH"].map(expanded) ?? hubHome.appending("token")
  }

  /// The token in the environment; nil too if tokens are only to be used when asked for.
  var token: Token? {
    (self["HF_TOKEN"] ?? self["HUGGING_FACE_HUB_TOKEN"]).flatMap(Token.init)
  }

  /// The CI job that a token is to be got for; comes before any stored token.
  ///
  /// - Throws: `UserError` if the job has no identity to show.
  var trustedPublisher: TrustedPublisher? {
    get throws(UserError) {
      guard usesStoredToken, let resource = self["HF_OIDC_RESOURCE"] else { return nil }
      if let token = self["HF_OIDC_ID_TOKEN"].flatMap(Token.init) {
        return TrustedPublisher(resource: resource, identity: .token(token))
      }
      guard let url = self["ACTIONS_ID_TOKEN_REQUEST_URL"].flatMap({ WebURL($0) }),
        let token = self["ACTIONS_ID_TOKEN_REQUEST_TOKEN"].flatMap(Token.init)
      else {
        throw UserError(
          status: .notPermitted,
          what: "HF_OIDC_RESOURCE is set, but this job has no identity to show",
          advice: "give the job \"permissions: id-token: write\", or set HF_OIDC_ID_TOKEN")
      }
      return TrustedPublisher(resource: resource, identity: .gitHubActions(url: url, token: token))
    }
  }

  var usesStoredToken: Bool { !isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") }

  /// Seconds without a byte after which a download is given up.
  var downloadTimeout: Int? { self["HF_HUB_DOWNLOAD_TIMEOUT"].flatMap { Int($0) } }

  /// Seconds without a byte after which a request for metadata is given up.
  var metadataTimeout: Int? { self["HF_HUB_ETAG_TIMEOUT"].flatMap { Int($0) } }

  /// Who has started this program, to be told to the Hub.
  var userAgentOrigin: String? {
    self["HF_HUB_USER_AGENT_ORIGIN"]?.filter { $0.isASCII && $0 > " " }
  }

  /// Whether each request is to be shown.
  var showsRequests: Bool { isTrue("HF_DEBUG") }

  /// A file of certificate authorities, by the names that users of curl and Python know.
  var authorities: FilePath? {
    ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"].lazy.compactMap { self[$0] }.first
      .map(expanded)
  }

  // MARK: Automation

  var isGitHubAction: Bool { isTrue("GITHUB_ACTIONS") }
  /// The file that takes the outputs of a workflow's step.
  var gitHubOutput: FilePath? { self["GITHUB_OUTPUT"].map { FilePath($0) } }

  // MARK: The terminal

  var isDumbTerminal: Bool { self["TERM"] == nil || self["TERM"] == "dumb" }
  var wantsNoColor: Bool { variables("NO_COLOR").map { !$0.isEmpty } ?? false }
  var hidesProgress: Bool { isTrue("HF_HUB_DISABLE_PROGRESS_BARS") }
  var isDebugging: Bool { isTrue("HUBMERGE_DEBUG") }

  private var home: FilePath { FilePath(self["HOME"] ?? "/") }

  /// A path with `~` and `$NAME` replaced.
  private func expanded(_ path: String) -> FilePath {
    var path = path
    if path == "~" || path.hasPrefix("~/") { path = home.string + path.dropFirst() }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map { part in
      part.hasPrefix("$") ? self[String(part.dropFirst())] ?? String(part) : String(part)
    }
    return FilePath(parts.joined(separator: "/"))
  }
}
