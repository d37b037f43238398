// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1

/// A page for people: the frame around what a route shows.
struct Page {
  let title: String
  let content: HTML

  /// - Parameter imageOrigin: Where images may come from besides this origin.
  func response(
    for exchange: Exchange, imageOrigin: String? = nil, status: HTTPResponseStatus = .ok
  ) -> Response {
    let who: HTML =
      if let name = exchange.caller.name {
        "<span>\(name)</span>"
      } else {
        "<a href=\"/login\">log in</a>"
      }
    let search = exchange.request.segments.isEmpty ? exchange.request["search"] ?? "" : ""
    let page: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <link rel="icon" href="data:,">
      <link rel="stylesheet" href="/style.css">
      </head>
      <body>
      <header><div class="bar"><a class="brand" href="/">hub</a>
      <form action="/" role="search"><input type="search" name="search" value="\(search)"
      placeholder="Search models and datasets" aria-label="Search models and datasets"></form>
      \(who)</div></header>
      <main>
      \(content)
      </main>
      </body>
      </html>

      """
    return Response(
      status: status,
      headers: [
        "Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin", "Cache-Control": "no-cache",
        // Nothing runs, whatever a card says; nothing is loaded from anywhere else.
        "Content-Security-Policy":
          "default-src 'none'; style-src 'self'; img-src 'self' data:"
          + (imageOrigin.map { " \($0)" } ?? "")
          + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      ],
      content: .bytes(Array(page.text.utf8)))
  }
}

extension Page {
  /// A refusal, for a browser.
  static func refusal(_ failure: HubFailure, _ request: Request) -> Response {
    let page: HTML = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>\(Int(failure.status.code))</title>
      <meta name="color-scheme" content="light dark"><link rel="stylesheet" href="/style.css"></head>
      <body><main class="refusal"><h1>\(Int(failure.status.code))</h1><p>\(failure.message)</p>
      <p><a href="/">All repositories</a> \(failure.status == .unauthorized ? login : nil)</p></main></body>
      </html>

      """
    var response = failure.response
    response.headers.replaceOrAdd(name: "Content-Type", value: "text/html; charset=utf-8")
    response.headers.add(
      name: "Content-Security-Policy", value: "default-src 'none'; style-src 'self'")
    response.content = .bytes(Array(page.text.utf8))
    return response
  }

  private static let login: HTML = "· <a href=\"/login\">Log in</a>"
}

extension Request {
  /// Whether a person looks at the reply.
  var wantsPage: Bool {
    segments.first != "api" && [.GET, .POST].contains(method)
      && headers.first(name: "accept")?.contains("text/html") == true
  }
}
