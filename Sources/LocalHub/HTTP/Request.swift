// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1

/// The head of a request, taken apart.
struct Request: Sendable {
  let method: HTTPMethod
  /// Path and query as they came.
  let target: String
  /// The path's segments, each percent-decoded once; so a segment may contain a slash.
  let segments: [String]
  let query: [(name: String, value: String)]
  let headers: HTTPHeaders
  /// Names this exchange in the reply and in the log.
  let id: String

  /// - Throws: `HubFailure` if the target is no path, or an escape in it is no UTF-8 text.
  init(_ head: HTTPRequestHead) throws(HubFailure) {
    method = head.method
    target = head.uri
    headers = head.headers
    id = "local-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = parts.first, path.hasPrefix("/") else {
      throw HubFailure(.badRequest, "The target of a request must be a path")
    }
    var segments: [String] = []
    for raw in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let segment = PercentEncoding.decoded(raw) else {
        throw HubFailure(.badRequest, "The path is not percent-encoded UTF-8")
      }
      segments.append(segment)
    }
    if segments.last == "" { segments.removeLast() }
    self.segments = segments
    query = try Self.form(parts.count == 2 ? parts[1] : "")
  }

  /// Names and values of a form or a query.
  static func form(_ text: some StringProtocol) throws(HubFailure) -> [(
    name: String, value: String
  )] {
    var fields: [(name: String, value: String)] = []
    for field in text.split(separator: "&") {
      let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentEncoding.decoded(pair[0], plusIsSpace: true),
        let value = PercentEncoding.decoded(pair.count == 2 ? pair[1] : "", plusIsSpace: true)
      else { throw HubFailure(.badRequest, "The query is not percent-encoded UTF-8") }
      fields.append((name, value))
    }
    return fields
  }

  /// The value of a query field.
  subscript(name: String) -> String? { query.last { $0.name == name }?.value }

  /// Whether a query field says yes.
  func flag(_ name: String) -> Bool {
    ["1", "true"].contains(self[name]?.lowercased() ?? "")
  }

  /// Length of the body as announced; nil if it comes in chunks or is nonsense.
  var contentLength: Int? { headers.first(name: "content-length").flatMap { Int($0) } }

  /// Whether a browser sends this in the name of a page that is not ours, to change something.
  var isFromAnotherSite: Bool {
    guard ![.GET, .HEAD].contains(method), let origin = headers.first(name: "origin") else {
      return false
    }
    let host = headers.first(name: "host") ?? ""
    return origin != "http://\(host)" && origin != "https://\(host)"
  }

  /// Whether the request is only a head.
  var hasNoBody: Bool {
    !headers.contains(name: "transfer-encoding") && (contentLength ?? 0) == 0
      && [.GET, .HEAD].contains(method)
  }

  /// The caller's token; nil without an `Authorization` header, empty if that has another form.
  ///
  /// Clients of the hub send it as a bearer's token; browsers and git-lfs as a password, whatever the
  /// name.
  var token: String? {
    guard let header = headers.first(name: "authorization") else { return nil }
    let words = header.split(separator: " ")
    guard words.count == 2 else { return "" }
    switch words[0].lowercased() {
    case "bearer": return String(words[1])
    case "basic":
      guard let pair = Base64.decoded(String(words[1])),
        let colon = pair.firstIndex(of: UInt8(ascii: ":"))
      else { return "" }
      return String(decoding: pair[(colon + 1)...], as: UTF8.self)
    default: return ""
    }
  }

  /// The host (without port) that the client used to reach this server; nil if it is not one.
  var hostname: String? {
    guard let host = headers.first(name: "host"), host.utf8.count <= 255 else { return nil }
    let name: Substring
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]") else { return nil }
      name = host[...end]
    } else {
      name = host.prefix { $0 != ":" }
    }
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      default: "-._:[]".utf8.contains(byte)
      }
    }
    return allowed && !name.isEmpty ? String(name) : nil
  }
}
