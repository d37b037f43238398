// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let commitsPage = Route(
    .GET, .HEAD, path: "/:namespace/:repo/commits/:rev", access: .read
  ) { try $0.commitsPage() }

  static let datasetCommitsPage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/commits/:rev", access: .read
  ) { try $0.commitsPage() }

  static let commitPage = Route(
    .GET, .HEAD, path: "/:namespace/:repo/commit/:rev", access: .read
  ) { try $0.commitPage() }

  static let datasetCommitPage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/commit/:rev", access: .read
  ) { try $0.commitPage() }

  static let discussionsPage = Route(
    .GET, .HEAD, path: "/:namespace/:repo/discussions", access: .read
  ) { try $0.discussionsPage() }

  static let datasetDiscussionsPage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/discussions", access: .read
  ) { try $0.discussionsPage() }

  static let discussionPage = Route(
    .GET, .HEAD, path: "/:namespace/:repo/discussions/:number", access: .read
  ) { try $0.discussionPage() }

  static let datasetDiscussionPage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/discussions/:number", access: .read
  ) { try $0.discussionPage() }
}

extension Exchange {
  private static let pageLength = 50

  fileprivate func commitsPage() throws -> Response {
    let revision = try name("rev")
    let info = try RepositoryInfo(try repository, at: revision)
    var rows: [HTML] = []
    var next: CommitID? = info.id
    while let id = next, rows.count < Self.pageLength {
      let commit = try repository.commit(id)
      rows.append(row(info, id, commit))
      next = commit.parents.first
    }
    let base = "/\(info.repository.id.webPath)"
    let more: HTML? = next.map { "<p><a href=\"\(base)/commits/\($0.hex)\">Older commits</a></p>" }
    return try page(
      info, .commits, revision: revision, "<ul class=\"list\">\(rows)</ul>\(more)")
  }

  private func row(_ info: RepositoryInfo, _ id: CommitID, _ commit: Commit) -> HTML {
    """
    <li><a class="name" href="/\(info.repository.id.webPath)/commit/\(id.hex)">\(commit.title)</a>
    <div class="about"><span class="mono">\(id.hex.prefix(12))</span> · \(commit.author)
    · \(commit.date.minute)</div></li>
    """
  }

  fileprivate func commitPage() throws -> Response {
    let info = try RepositoryInfo(try repository, at: try name("rev"))
    let before = try info.commit.parents.first.map { try repository.tree($0) } ?? Tree([])
    let paths = Set((before.entries + info.tree.entries).map(\.path))
      .filter { before[$0] != info.tree[$0] }.sorted()
    let rows = paths.prefix(1000).map { path -> HTML in
      let (old, new) = (before[path], info.tree[path])
      let (kind, sign) =
        old == nil ? ("added", "+") : new == nil ? ("removed", "−") : ("changed", "~")
      let sizes = [old, new].compactMap { $0.map { Quantity.bytes($0.size) } }
      return """
        <tr><td><span class="\(kind)">\(sign)</span> \(path)</td>
        <td class="size">\(sizes.joined(separator: " → "))</td></tr>
        """
    }
    let content: HTML = """
      <p><strong>\(info.commit.title)</strong><br>\(info.commit.description)</p>
      <p class="count"><span class="mono">\(info.id.hex)</span> · \(info.commit.author)
      · \(info.commit.date.minute) · \(paths.count) files</p>
      <table class="files">\(rows)</table>
      """
    return try page(info, .commits, content)
  }

  fileprivate func discussionsPage() throws -> Response {
    let info = try RepositoryInfo(try repository, at: "main")
    let base = "/\(info.repository.id.webPath)/discussions"
    let rows = try repository.discussions().prefix(500).map { discussion -> HTML in
      """
      <li><a class="name" href="\(base)/\(discussion.number)">\(discussion.title)</a>
      <div class="about">\(discussion.summary)</div></li>
      """
    }
    let content: HTML =
      rows.isEmpty
      ? "<p class=\"empty\">No discussions, no pull requests.</p>"
      : "<ul class=\"list\">\(rows)</ul>"
    return try page(info, .discussions, content)
  }

  fileprivate func discussionPage() throws -> Response {
    let info = try RepositoryInfo(try repository, at: "main")
    let discussion = try discussion()
    let events = discussion.events.compactMap { event -> HTML? in
      let text = event.listed["data"]?["latest"]?["raw"]?.string
      guard let text, !text.isEmpty else { return nil }
      return """
        <div class="note"><div class="count">\(event.author) · \(event.created.minute)</div>
        <div class="card">\(Markdown.html(text) { info.link($0, isImage: $1) })</div></div>
        """
    }
    let commits = try repository.commits(of: discussion).map { row(info, $0.id, $0.commit) }
    let made: HTML? = commits.isEmpty ? nil : "<ul class=\"list\">\(commits)</ul>"
    let content: HTML = """
      <p><strong>\(discussion.title)</strong><br><span class="count">\(discussion.summary)</span></p>
      \(events)\(made)
      """
    return try page(info, .discussions, content)
  }
}

extension Discussion {
  fileprivate var summary: String {
    "#\(number) · \(isPullRequest ? "pull request" : "discussion") · \(status.rawValue) · \(author) · "
      + created.minute
  }
}
