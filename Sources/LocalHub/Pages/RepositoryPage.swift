// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let repositoryPage = Route(
    .GET, .HEAD, path: "/:namespace/:repo", access: .read
  ) { try $0.repositoryPage() }

  static let datasetPage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo", access: .read
  ) { try $0.repositoryPage() }
}

/// The tabs of a repository's pages.
enum RepositoryTab: String, CaseIterable {
  case card = "Card"
  case files = "Files"
  case commits = "Commits"
  case discussions = "Community"

  fileprivate func path(_ revision: String) -> String {
    let revision = PercentEncoding.encoded(revision)
    return switch self {
    case .card: ""
    case .files: "/tree/\(revision)"
    case .commits: "/commits/\(revision)"
    case .discussions: "/discussions"
    }
  }
}

extension Exchange {
  /// A page of a repository, with its name and tabs above.
  func page(
    _ info: RepositoryInfo, _ tab: RepositoryTab, revision: String = "main", _ content: HTML
  ) throws -> Response {
    let base = "/\(info.repository.id.webPath)"
    let tabs = RepositoryTab.allCases.map { item -> HTML in
      "<a class=\"\(item == tab ? "here" : "")\" href=\"\(base)\(item.path(revision))\">\(item.rawValue)</a>"
    }
    let notes = [
      info.settings.isPrivate ? "private" : nil, info.settings.gate.map { "gated: \($0)" },
    ]
    let head: HTML = """
      <h1>\(info.repository.id.description)
      <small>\(([info.repository.id.kind.rawValue] + notes.compactMap(\.self)).joined(separator: " · "))</small></h1>
      <div class="tags">\(try tags(of: info))</div>
      <nav class="tabs">\(tabs)</nav>
      """
    return Page(title: info.repository.id.description, content: head + content)
      .response(for: self, imageOrigin: blobOrigin)
  }

  private func tags(of info: RepositoryInfo) throws -> [HTML] {
    let tags = try info.listed(["tags"], request)["tags"]?.array?.compactMap(\.string) ?? []
    return tags.prefix(40).map { tag in
      "<span class=\"tag \(tag.contains(":") ? "" : "strong")\">\(tag)</span>"
    }
  }

  fileprivate func repositoryPage() throws -> Response {
    let info = try RepositoryInfo(try repository, at: "main")
    let card: HTML =
      if let readme = try repository.readme(info.tree) {
        Markdown.html(CardMetadata.split(readme).body) { info.link($0, isImage: $1) }
      } else {
        "<p class=\"empty\">There is no card: README.md is missing.</p>"
      }
    let content: HTML = """
      \(try gate(of: info))
      <div class="columns"><article class="card">\(card)</article>
      <aside><dl>\(try facts(of: info))</dl></aside></div>
      """
    return try page(info, .card, content)
  }

  /// What somebody reads who has no access to the files yet.
  private func gate(of info: RepositoryInfo) throws -> HTML? {
    guard let gate = info.settings.gate, try !info.repository.admits(caller) else { return nil }
    guard let name = caller.name else {
      return
        "<p class=\"note\">The files are for whoever was given access. <a href=\"/login\">Log in</a> to ask for it.</p>"
    }
    if let known = try info.repository.accessRequests().first(where: { $0.user == name }) {
      return "<p class=\"note\">Your request for access is \(known.status.rawValue).</p>"
    }
    let means = gate == "auto" ? "at once" : "when somebody who may write here accepts it"
    return """
      <div class="note">The files are for whoever was given access; it is given \(means).
      <form method="post" action="/\(info.repository.id.webPath)/ask-access">
      <button>Ask for access</button></form></div>
      """
  }

  private func facts(of info: RepositoryInfo) throws -> [HTML] {
    func fact(_ name: String, _ value: HTML?) -> HTML {
      value.map { "<dt>\(name)</dt><dd>\($0)</dd>" } ?? ""
    }
    let bases = info.card?["base_model"]?.array ?? info.card?["base_model"].map { [$0] } ?? []
    let links = try bases.compactMap(\.string).prefix(20).map { try link(to: $0) + "<br>" }
    let parameters = try info.listed(["safetensors"], request)["safetensors"]
    let types = parameters?["parameters"]?.members?.map(\.key).joined(separator: ", ") ?? ""
    let download: HTML = "<pre>hf download \(info.repository.id.description)</pre>"
    return [
      fact("Licence", info.card?["license"]?.string.map { "\($0)" }),
      fact("Parameters", parameters?["total"]?.int.map { "\(Quantity.count($0)) \(types)" }),
      fact("Size", "\(Quantity.bytes(info.tree.entries.reduce(0) { $0 + $1.size }))"),
      fact("Made from", links.isEmpty ? nil : HTML(trusted: links.map(\.text).joined())),
      fact("Updated", "\(info.commit.date.day)"),
      fact("Commit", "<span class=\"mono\">\(info.id.hex.prefix(12))</span>"),
      fact("Download", download),
    ]
  }

  /// A repository's name, as a link if it is here for the caller to see.
  private func link(to name: String) throws -> HTML {
    guard let id = try? RepoID(name), let found = service.store.repository(id),
      try !found.settings.isPrivate || caller.belongs(to: id.namespace)
    else { return "\(name)" }
    return "<a href=\"/\(name)\">\(name)</a>"
  }
}

extension RepositoryInfo {
  /// The address that an address in the card stands for; nil for one that is not to be followed.
  func link(_ address: String, isImage: Bool) -> String? {
    let scheme = address.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
    if address.dropFirst(scheme.count).first == ":" {
      return ["http", "https", "mailto"].contains(scheme.lowercased()) ? address : nil
    }
    if address.hasPrefix("#") || address.hasPrefix("/") {
      return address.hasPrefix("//") || address.contains("\\") ? nil : address
    }
    var relative = Substring(address)
    while relative.hasPrefix("./") { relative = relative.dropFirst(2) }
    guard let path = PercentEncoding.decoded(relative.prefix { $0 != "?" && $0 != "#" }),
      let checked = try? RepoPath.check(path)
    else { return nil }
    let verb = isImage ? "resolve" : "blob"
    return
      "/\(repository.id.webPath)/\(verb)/main/\(PercentEncoding.encoded(checked, keeping: "/"))"
  }
}

extension Timestamp {
  /// `2026-11-21`
  var day: String { String(iso8601.prefix(10)) }
  /// `2026-11-21 05:00`
  var minute: String { day + " " + iso8601.dropFirst(11).prefix(5) }
}
