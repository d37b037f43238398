// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A server's reply to one request.
package struct HTTPResponse: Sendable {
  package let url: WebURL
  package var status: Int
  package var headers: HTTPHeaders
  /// The body, or the beginning of it if it went to a stream that did not take it.
  package var body: [UInt8]

  package init(url: WebURL, status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.url = url
    self.status = status
    self.headers = headers
    self.body = body
  }

  package var isSuccess: Bool { (200...299).contains(status) }

  /// Where a redirect leads; nil if this is not one.
  package var redirect: String? {
    [301, 302, 303, 307, 308].contains(status) ? headers["Location"] : nil
  }

  /// What part of the file a 206 reply holds, and the file's length if it is told.
  package var contentRange: (range: Range<Int>, size: Int?)? {
    guard let text = headers["Content-Range"], text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst("bytes ".count).split(separator: "/")
    guard parts.count == 2 else { return nil }
    let ends = parts[0].split(separator: "-").map { Int($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 0, last >= first,
      last < Int.max
    else { return nil }
    return (first..<last + 1, Int(parts[1]))
  }
}

/// A request that got no reply, or not the whole of it.
package struct TransportError: Error, Hashable {
  package enum Kind: Sendable {
    /// No connection came about.
    case unreachable
    /// The server's certificate is not to be trusted, or there is no common way to encrypt.
    case insecure
    case timedOut
    /// The connection broke, or the body ended too early.
    case interrupted
    /// The body is longer than the request allows.
    case tooLong
    /// The request cannot be made.
    case refused
  }

  package let kind: Kind
  package let origin: Origin
  /// The transport's own words.
  package let reason: String

  /// Whether the same request may succeed a moment later.
  package var isTransient: Bool {
    switch kind {
    case .unreachable, .timedOut, .interrupted: true
    case .insecure, .tooLong, .refused: false
    }
  }
}
