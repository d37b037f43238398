// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Every address of the Hub's protocol; nothing else builds one.
struct HubURLs: Sendable {
  /// The Hub's address; a mirror may live below a path.
  let endpoint: WebURL

  /// - Parameter path: Encoded already.
  private func url(_ path: String, query: [(String, String)] = []) -> WebURL {
    var base = endpoint.target.prefix { $0 != "?" }
    while base.hasSuffix("/") { base = base.dropLast() }
    let fields = query.map { "\(PercentEncoding.encode($0))=\(PercentEncoding.encode($1))" }
    let target = "\(base)/\(path)" + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
    return WebURL(origin: endpoint.origin, target: target)
  }

  private func api(_ id: RepoID, _ path: String, query: [(String, String)] = []) -> WebURL {
    url("api/\(id.kind.plural)/\(id)/\(path)", query: query)
  }

  /// The repository's path on the web side, where models have no prefix.
  private func web(_ id: RepoID) -> String {
    id.kind == .model ? "\(id)" : "\(id.kind.plural)/\(id)"
  }

  /// Encoded exactly once, slashes too: `refs/pr/3` is one segment.
  private func segment(_ revision: Revision) -> String { PercentEncoding.encode(revision.text) }

  private func path(_ path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false)
      .map { PercentEncoding.encode($0) }.joined(separator: "/")
  }

  // MARK: Account

  var whoAmI: WebURL { url("api/whoami-v2") }
  /// Where a CI system's identity token becomes one of the Hub.
  var tokenExchange: WebURL { url("oauth/token") }
  var createRepository: WebURL { url("api/repos/create") }
  var deleteRepository: WebURL { url("api/repos/delete") }
  var validateCard: WebURL { url("api/validate-yaml") }

  // MARK: Repository

  /// The page of a repository, for people.
  func page(_ id: RepoID) -> WebURL { url(web(id)) }

  func info(_ id: RepoID, _ revision: Revision) -> WebURL {
    api(id, "revision/\(segment(revision))")
  }

  func tree(_ id: RepoID, _ revision: Revision, recursive: Bool) -> WebURL {
    api(
      id, "tree/\(segment(revision))",
      query: [("recursive", recursive ? "true" : "false"), ("expand", "false")])
  }

  func refs(_ id: RepoID) -> WebURL { api(id, "refs", query: [("include_prs", "1")]) }
  func commits(_ id: RepoID, _ revision: Revision) -> WebURL {
    api(id, "commits/\(segment(revision))")
  }
  func branch(_ id: RepoID, _ branch: Revision) -> WebURL { api(id, "branch/\(segment(branch))") }
  /// - Parameter revision: What the tag is to name; when deleting, the tag itself.
  func tag(_ id: RepoID, _ revision: Revision) -> WebURL { api(id, "tag/\(segment(revision))") }
  func discussions(_ id: RepoID) -> WebURL { api(id, "discussions") }
  func discussion(_ id: RepoID, _ number: Int) -> WebURL { api(id, "discussions/\(number)") }
  func discussionStatus(_ id: RepoID, _ number: Int) -> WebURL {
    api(id, "discussions/\(number)/status")
  }

  // MARK: Transfers

  func file(_ id: RepoID, _ revision: Revision, _ file: String) -> WebURL {
    url("\(web(id))/resolve/\(segment(revision))/\(path(file))")
  }

  /// - Parameter proposing: Whether the files are for a pull request.
  func preupload(_ id: RepoID, _ revision: Revision, proposing: Bool) -> WebURL {
    api(id, "preupload/\(segment(revision))", query: proposing ? [("create_pr", "1")] : [])
  }
  func commit(_ id: RepoID, _ revision: Revision) -> WebURL {
    api(id, "commit/\(segment(revision))")
  }
  func lfsBatch(_ id: RepoID) -> WebURL { url("\(web(id)).git/info/lfs/objects/batch") }

  /// An address from a reply's body: relative ones are the endpoint's, and those of the public Hub are
  /// moved to the endpoint, so that a gateway in front of it keeps working.
  func given(_ text: String) -> WebURL? {
    guard let url = endpoint.resolving(text) else { return nil }
    let hub = Origin(isSecure: true, host: "huggingface.co", port: 443)
    guard url.origin == hub, endpoint.origin != hub else { return url }
    return self.url(String(url.target.dropFirst()))
  }
}
