// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

extension Route {
  static let homePage = Route(.GET, .HEAD, path: "/", access: .anyone) { exchange in
    let search = exchange.request["search"]
    let models = try exchange.rows(.model, search)
    let datasets = try exchange.rows(.dataset, search)
    let command = "HF_ENDPOINT=\(exchange.hubOrigin)"
    let start: HTML = """
      <p class="empty">Nothing is here yet. Point a client at this hub and push, or start it with
      <code>--import namespace/name=folder</code>:</p><pre>export \(command)
      hubmerge push ./model me/model</pre>
      """
    let nothing: HTML = models.isEmpty && datasets.isEmpty && search == nil ? start : ""
    let content: HTML = """
      \(section("Models", models))\(section("Datasets", datasets))\(nothing)
      """
    return Page(title: "hub", content: content).response(for: exchange)
  }

  /// Asks a browser for a name and, as the password, a token.
  static let login = Route(.GET, path: "/login", access: .anyone) { exchange in
    guard exchange.caller.isAnonymous else {
      return Response(status: .seeOther).adding("Location", "/")
    }
    var failure = HubFailure(.unauthorized, "Log in with any name, and a token as the password.")
    failure.headers.add(name: "WWW-Authenticate", value: "Basic realm=\"hub\", charset=\"UTF-8\"")
    throw failure
  }

  private static func section(_ title: String, _ rows: [HTML]) -> HTML {
    guard !rows.isEmpty else { return "" }
    return """
      <h2 class="section">\(title) <span class="count">\(rows.count)</span></h2>
      <ul class="list">\(rows)</ul>
      """
  }
}

extension Exchange {
  /// The newest of the repositories that the caller may see.
  fileprivate func rows(_ kind: RepoID.Kind, _ search: String?) throws -> [HTML] {
    let all = try visible(kind, search: search).map { try RepositoryInfo($0, at: "main") }
    return all.sorted { $0.commit.date.seconds > $1.commit.date.seconds }.prefix(500).map {
      info in
      let facts: [String?] = [
        info.card?["pipeline_tag"]?.string, info.card?["license"]?.string,
        Quantity.bytes(info.tree.entries.reduce(0) { $0 + $1.size }),
        "updated \(info.commit.date.day)", info.settings.isPrivate ? "private" : nil,
        info.settings.gate.map { _ in "gated" },
      ]
      return """
        <li><a class="name" href="/\(info.repository.id.webPath)">\(info.repository.id.description)</a>
        <div class="about">\(facts.compactMap(\.self).joined(separator: " · "))</div></li>
        """
    }
  }
}
