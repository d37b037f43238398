// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// One request to one address. Redirects and retries are the business of `HubConnection`.
package struct HTTPRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  package var method: Method
  package var url: WebURL
  package var headers: HTTPHeaders
  package var body: HTTPBody?
  package var sink: HTTPSink
  /// Seconds without a byte in either direction after which the request has failed; nil for the
  /// transport's own setting.
  package var patience: Int?
  /// Whether the Hub's own origin is told who asks; off for addresses that carry their own permission.
  package var sendsToken = true

  package init(
    _ method: Method, _ url: WebURL, headers: HTTPHeaders = [:], body: HTTPBody? = nil,
    sink: HTTPSink = .memory(limit: 64 << 20), patience: Int? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.sink = sink
    self.patience = patience
  }
}

/// The bytes that a request sends, readable at any position so that it can be sent again.
package struct HTTPBody: Sendable {
  package let length: Int
  /// Fills the buffer with the bytes from an offset on; only asked for what lies inside the body.
  package let read: @Sendable (UnsafeMutableRawBufferPointer, Int) throws -> Void

  package init(
    length: Int, read: @escaping @Sendable (UnsafeMutableRawBufferPointer, Int) throws -> Void
  ) {
    self.length = length
    self.read = read
  }

  package static func bytes(_ bytes: [UInt8]) -> HTTPBody {
    HTTPBody(length: bytes.count) { buffer, offset in
      bytes.withUnsafeBytes { buffer.copyBytes(from: $0[offset...].prefix(buffer.count)) }
    }
  }

  /// A part of a file, read while it is sent.
  package static func file(_ file: File, _ range: Range<Int>) -> HTTPBody {
    HTTPBody(length: range.count) { buffer, offset in
      try file.read(into: buffer, at: range.lowerBound + offset)
    }
  }

  /// The same bytes, reporting how far reading has come; `observe` gets the end of each read.
  package func observed(_ observe: @escaping @Sendable (Int) -> Void) -> HTTPBody {
    HTTPBody(length: length) { buffer, offset in
      try read(buffer, offset)
      observe(offset + buffer.count)
    }
  }
}

/// Where a reply's body goes.
package enum HTTPSink: Sendable {
  /// Into `HTTPResponse.body`; a longer one is a failure.
  case memory(limit: Int)
  /// To `receive` piece by piece, on the transport's thread, if `accept` takes the reply; otherwise the
  /// beginning of the body (it tells of an error) goes to `HTTPResponse.body`.
  ///
  /// An error that `receive` throws ends the request with that error.
  case stream(
    accept: @Sendable (HTTPResponse) -> Bool,
    receive: @Sendable (UnsafeRawBufferPointer) throws -> Void)

  var isStream: Bool { if case .stream = self { true } else { false } }
}
