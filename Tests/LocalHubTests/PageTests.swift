// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import LocalHub
import TestSupport
import Testing

@Suite struct PageTests {
  private static let card = """
    ---
    license: mit
    base_model: acme/base
    tags: ["<b>"]
    ---
    # A merge

    | layer | drift |
    |---|--:|
    | 0 | 0.5 |

    ![drift](plots/drift.svg) [notes](sub/notes.txt#top) [home](https://example.org/x)

    <div align="center"><img src="./plots/drift.svg" onerror="steal()" width="50%"></div>
    <details><summary>More</summary>

    **bold** &lt;

    </details></main></body>

    <script>alert(1)</script>
    [bad](javascript:alert(1)) <a href="java&#115;cript:alert(1)">worse</a> <a href=" data:text/html,x">x</a>
    <svg onload=alert(1)> <iframe src="https://example.org"></iframe> <style>body { display: none }</style>
    <b>open for ever <!-- hidden <script> -->
    """
  private static let plot =
    #"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#

  private func withPages(_ body: (WireClient) async throws -> Void) async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      _ = try await client.create("acme/base")
      let commit = try await client.commit(
        "acme/m", header: ["summary": "Add <it>"],
        [
          WireClient.file("README.md", Self.card), WireClient.file("plots/drift.svg", Self.plot),
          WireClient.file("sub/notes.txt", "a < b\n"),
        ])
      #expect(commit.status == 200, "\(commit.text)")
      try await body(client)
    }
  }

  @Test func `A card is shown with its tables, its pictures and its metadata`() async throws {
    try await withPages { client in
      let page = try await client.send("GET", "/acme/m")
      #expect(page.status == 200)
      #expect(page["Content-Type"] == "text/html; charset=utf-8")
      for piece in [
        "<h1>A merge</h1>", "<td align=\"right\">0.5</td>",
        #"<img src="/acme/m/resolve/main/plots/drift.svg" alt="drift" />"#,
        #"<a href="/acme/m/blob/main/sub/notes.txt">notes</a>"#,
        #"<a href="https://example.org/x">home</a>"#,
        #"<div align="center"><img src="/acme/m/resolve/main/plots/drift.svg" width="50%"></div>"#,
        "<summary>More</summary>", "<strong>bold</strong> &lt;",
        #"<a href="/acme/base">acme/base</a>"#,
        "<dd>mit</dd>", "&lt;b&gt;",
      ] {
        #expect(page.text.contains(piece), "\(piece) is missing in \(page.text)")
      }
      #expect(!page.text.contains("license: mit"))
    }
  }

  @Test func `Nothing of a card can run, or get out of its place`() async throws {
    try await withPages { client in
      let page = try await client.send("GET", "/acme/m")
      let policy = page["Content-Security-Policy"] ?? ""
      #expect(policy.hasPrefix("default-src 'none'; style-src 'self'; img-src 'self'"))
      for piece in [
        "<script", "alert(1)</script", "onerror", "onload", "javascript:", "java", "data:text",
        "<svg", "<iframe", "<style", "hidden", "<!--",
      ] {
        #expect(!page.text.lowercased().contains(piece), "\(piece) is in \(page.text)")
      }
      // What the card opens it closes, and it closes nothing else.
      let end = try #require(page.text.firstRange(of: "</article>"))
      #expect(page.text[..<end.lowerBound].hasSuffix("</b>"))
      #expect(page.text.split(separator: "</main>", omittingEmptySubsequences: false).count == 2)
    }
  }

  @Test func `A picture is sent as one, and what is in it cannot run`() async throws {
    try await withPages { client in
      let image = try await client.send("GET", "/acme/m/resolve/main/plots/drift.svg")
      #expect(image["Content-Type"] == "image/svg+xml")
      #expect(image["Content-Security-Policy"]?.hasSuffix("sandbox") == true)
      let text = try await client.send("GET", "/acme/m/resolve/main/README.md")
      #expect(text["Content-Type"] == "text/plain; charset=utf-8")
    }
  }

  @Test(arguments: [
    ("/", "acme/m"), ("/?search=nothing", "placeholder"), ("/acme/m/tree/main", "plots/"),
    ("/acme/m/tree/main/sub", "notes.txt"), ("/acme/m/blob/main/sub/notes.txt", "a &lt; b"),
    ("/acme/m/blob/main/plots/drift.svg", "<img class=\"preview\""),
    ("/acme/m/commits/main", "Add &lt;it&gt;"), ("/acme/m/commit/main", "plots/drift.svg"),
    ("/acme/m/discussions", "No discussions"), ("/style.css", "prefers-color-scheme: dark"),
  ])
  func `There is a page`(_ path: String, _ content: String) async throws {
    try await withPages { client in
      let page = try await client.send("GET", path)
      #expect(page.status == 200)
      #expect(page.text.contains(content), "\(page.text)")
    }
  }

  @Test(arguments: [
    "/acme/none", "/acme/m/tree/none", "/acme/m/blob/main/none", "/acme/m/tree/main/none",
    "/acme/m/discussions/9", "/datasets/acme/m",
  ])
  func `A browser is told in a page what is not there`(_ path: String) async throws {
    try await withPages { client in
      let page = try await client.send("GET", path, headers: ["Accept: text/html,*/*"])
      #expect(page.status == 404)
      #expect(page.text.contains("<h1>404</h1>"))
    }
  }

  @Test func `Pages show private repositories to whom they belong only`() async throws {
    let tokens = [AccessToken(user: "ann", text: "hf_ann", role: .write)]
    try await HubFixture.withHub(tokens: tokens) { hub in
      let ann = WireClient(hub.url, token: "hf_ann")
      let body: JSON = ["name": "m", "organization": "acme", "visibility": "private"]
      _ = try await ann.send("POST", "/api/repos/create", json: body)
      let own = try await ann.send("GET", "/")
      #expect(own.text.contains("acme/m"))
      let other = try await WireClient(hub.url).send("GET", "/")
      #expect(!other.text.contains("acme/m"))
      for path in ["/acme/m", "/acme/m/tree/main", "/acme/m/commits/main"] {
        let page = try await WireClient(hub.url).send("GET", path)
        #expect(page.status == 401)
      }
      let login = try await WireClient(hub.url).send("GET", "/login")
      #expect(login.headers.contains { $0.value.hasPrefix("Basic realm") })
    }
  }

  @Test func `A page of another site changes nothing`() async throws {
    try await withPages { client in
      for (origin, status) in [
        ("http://example.org", 403), ("null", 403), ("http://127.0.0.1:\(client.port)", 200),
      ] {
        let body = Array(#"{"name":"n\#(status)","organization":"acme"}"#.utf8)
        let reply = try await client.send(
          "POST", "/api/repos/create", headers: ["Origin: \(origin)"], body: body)
        #expect(reply.status == status)
      }
    }
  }

  @Test func `A long or strange card takes no time`() async throws {
    try await withPages { client in
      let cards = [
        String(repeating: ">", count: 100_000), String(repeating: "[", count: 100_000),
        String(repeating: "<div>", count: 20_000), String(repeating: "<a href='", count: 20_000),
        String(repeating: "*a_ ", count: 50_000), String(repeating: "x", count: 1 << 20),
      ]
      for card in cards {
        _ = try await client.commit("acme/m", [WireClient.file("README.md", card)])
        let page = try await client.send("GET", "/acme/m")
        #expect(page.status == 200)
      }
    }
  }
}
