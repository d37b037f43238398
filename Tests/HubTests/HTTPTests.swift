// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Hub

@Suite struct HTTPTests {
  // MARK: Addresses

  @Test(arguments: [
    ("https://huggingface.co", "https://huggingface.co/"),
    ("HTTPS://HuggingFace.co:443/a?b#c", "https://huggingface.co/a?b"),
    ("http://127.0.0.1:8080/x y", "http://127.0.0.1:8080/x%20y"),
    ("http://[::1]:8080?x=1", "http://[::1]:8080/?x=1"),
    ("https://a/é", "https://a/%C3%A9"),
  ])
  func `an address is taken apart`(_ text: String, _ expected: String) {
    #expect(WebURL(text)?.text == expected)
  }

  @Test(arguments: [
    "", "ftp://a", "https://", "https:///x", "https://user@host/", "https://good\\@evil/",
    "https://a:0/", "https://a:99999/", "https://a:b/", "https://a b/", "https://a/\nb", "//a/b",
    "https://[::1", "javascript:x", "https://a:/",
  ])
  func `a doubtful address is refused`(_ text: String) {
    #expect(WebURL(text) == nil)
  }

  @Test(arguments: [
    ("/x?y", "https://h:1/x?y"), ("x", "https://h:1/a/x"), ("?q", "https://h:1/a/b?q"),
    ("//other/x", "https://other/x"), ("http://other/", "http://other/"),
  ])
  func `a reference is resolved`(_ reference: String, _ expected: String) {
    #expect(WebURL("https://h:1/a/b?c=d")?.resolving(reference)?.text == expected)
  }

  @Test func `a reference to something else than the web is refused`() {
    #expect(WebURL("https://h/a")?.resolving("file:///etc/passwd") == nil)
    #expect(WebURL("https://h/a")?.resolving("https://u@h/") == nil)
  }

  @Test func `a description shows no query`() {
    #expect("\(WebURL("https://h/a?signature=x")!)" == "https://h/a")
  }

  @Test func `revisions and paths are encoded once`() throws {
    let urls = HubURLs(endpoint: WebURL("https://h/mirror/")!)
    let id = try RepoID("a/b", kind: .dataset)
    #expect(
      urls.file(id, .pullRequest(3), "x/ü?#.txt").text
        == "https://h/mirror/datasets/a/b/resolve/refs%2Fpr%2F3/x/%C3%BC%3F%23.txt")
    #expect(urls.info(id, .main).text == "https://h/mirror/api/datasets/a/b/revision/main")
    #expect(
      urls.lfsBatch(try RepoID("a/b")).text == "https://h/mirror/a/b.git/info/lfs/objects/batch")
    #expect(urls.given("https://huggingface.co/x?y")?.text == "https://h/mirror/x?y")
    #expect(urls.given("https://s3/x?y")?.text == "https://s3/x?y")
  }

  // MARK: Headers

  @Test func `links are read with commas and semicolons inside`() {
    let headers: HTTPHeaders = [
      "link": #"<https://h/a,b;c?x=1>; rel="prev"; title="a, \"b\"", </next?cursor=a%3D>; rel=next"#
    ]
    #expect(LinkHeader(headers)["next"] == "/next?cursor=a%3D")
    #expect(LinkHeader(headers)["prev"] == "https://h/a,b;c?x=1")
    #expect(LinkHeader(["Link": "<a"])["next"] == nil)
    #expect(LinkHeader(["Link": "<>; rel=\"self next\""])["next"] == "")
  }

  @Test func `headers are found whatever their case and can be replaced`() {
    var headers: HTTPHeaders = ["X-A": "1", "x-a": "2"]
    #expect(headers.values("X-a") == ["1", "2"])
    headers["x-A"] = "3"
    #expect(headers.values("x-a") == ["3"])
    #expect(!HTTPHeaders(dictionaryLiteral: ("A", "b\r\nC: d")).isSendable)
  }

  @Test(
    arguments: [
      ("bytes 0-9/100", 0..<10, 100), ("bytes 5-5/*", 5..<6, nil),
    ] as [(String, Range<Int>, Int?)])
  func `a content range is read`(_ text: String, _ range: Range<Int>, _ size: Int?) {
    let reply = HTTPResponse(
      url: WebURL("http://h")!, status: 206, headers: ["Content-Range": text])
    #expect(reply.contentRange?.range == range)
    #expect(reply.contentRange?.size == size)
  }

  @Test(arguments: ["bytes 9-0/10", "bytes */10", "0-9/10", "bytes 0-9223372036854775807/*"])
  func `a broken content range is none`(_ text: String) {
    let reply = HTTPResponse(
      url: WebURL("http://h")!, status: 206, headers: ["Content-Range": text])
    #expect(reply.contentRange == nil)
  }

  // MARK: Retries

  private func reply(_ headers: HTTPHeaders, status: Int = 429) -> HTTPResponse {
    HTTPResponse(url: WebURL("http://h")!, status: status, headers: headers)
  }

  private var steady: RetryPolicy {
    var policy = RetryPolicy()
    policy.jitter = 1...1
    return policy
  }

  @Test func `delays double up to a limit, then it is given up`() {
    let delays = (0..<6).map { steady.delay(after: $0, reply: nil, now: 0) }
    #expect(delays == [1, 2, 4, 8, 8, nil])
  }

  @Test func `a server is left alone for as long as it asks`() {
    let policy = steady
    #expect(policy.delay(after: 0, reply: reply(["RateLimit": "\"api\";r=0;t=55"]), now: 0) == 56)
    #expect(policy.delay(after: 0, reply: reply(["RateLimit": "\"api\";r=3;t=55"]), now: 0) == 1)
    #expect(policy.delay(after: 0, reply: reply(["Retry-After": "7"]), now: 0) == 8)
    #expect(
      policy.delay(
        after: 0, reply: reply(["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"]), now: 784_111_770)
        == 8)
    #expect(policy.delay(after: 0, reply: reply(["Retry-After": "soon"]), now: 0) == 1)
    #expect(policy.delay(after: 0, reply: reply(["Retry-After": "86400"]), now: 0) == nil)
  }

  @Test func `dates are read as HTTP writes them`() {
    #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
    #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 CET") == nil)
    #expect(HTTPDate.seconds("") == nil)
  }

  // MARK: Secrets

  @Test func `a token shows itself nowhere`() throws {
    let token = try #require(Token(" hf_secret\n"))
    var dumped = ""
    dump(token, to: &dumped)
    var configuration = HubConfiguration(
      endpoint: WebURL("http://h")!, token: token, userAgent: "x")
    configuration.isOffline = true
    for text in ["\(token)", String(reflecting: token), dumped, "\(configuration)"] {
      #expect(!text.contains("hf_secret"))
    }
    #expect(token.redacting("bad token hf_secret!") == "bad token <token>!")
    #expect(token.authorization == "Bearer hf_secret")
    #expect(Token("a\u{7}b") == nil)
    #expect(Token(" \n") == nil)
  }
}
