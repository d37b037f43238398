// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import NIOHTTP1
internal import SystemPackage

/// A reply before it is written to the wire.
struct Response: Sendable {
  enum Content: Sendable {
    case bytes([UInt8])
    /// A range of a file, sent by the kernel.
    case file(FilePath, Range<Int>)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .file(_, let range): range.count
      }
    }
  }

  var status: HTTPResponseStatus = .ok
  var headers = HTTPHeaders()
  var content = Content.bytes([])

  static func json(_ value: JSON, status: HTTPResponseStatus = .ok) -> Response {
    Response(
      status: status, headers: ["Content-Type": "application/json; charset=utf-8"],
      content: .bytes(Array(value.serialized(.compact).utf8)))
  }

  /// The file at `path`, or the part of it that the request asks for.
  static func file(
    _ path: FilePath, size: Int, for request: Request, ignoringRange: Bool = false
  ) -> Response {
    var response = Response(content: .file(path, 0..<size))
    response.headers.add(name: "Accept-Ranges", value: "bytes")
    guard !ignoringRange, let header = request.headers.first(name: "range") else { return response }
    switch ByteRange(header, size: size) {
    case .whole: break
    case .part(let range):
      response.status = .partialContent
      response.content = .file(path, range)
      response.headers.add(
        name: "Content-Range", value: "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
    case .unsatisfiable:
      response.status = .rangeNotSatisfiable
      response.content = .bytes([])
      response.headers.add(name: "Content-Range", value: "bytes */\(size)")
    }
    return response
  }

  func adding(_ name: String, _ value: String?) -> Response {
    guard let value else { return self }
    var response = self
    response.headers.replaceOrAdd(name: name, value: value)
    return response
  }
}

/// What a `Range` header asks of a file of a known size.
enum ByteRange: Hashable {
  /// No range that is understood here; several ranges at once are answered with the whole file.
  case whole
  case part(Range<Int>)
  case unsatisfiable

  init(_ header: String, size: Int) {
    self = .whole
    guard header.hasPrefix("bytes="), !header.contains(",") else { return }
    let bounds = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard bounds.count == 2, bounds.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } })
    else { return }
    switch (Int(bounds[0]), Int(bounds[1])) {
    case (let first?, let last?) where first <= last:
      self = first < size ? .part(first..<min(last, size - 1) + 1) : .unsatisfiable
    case (let first?, nil) where bounds[1].isEmpty:
      self = first < size ? .part(first..<size) : .unsatisfiable
    case (nil, let count?) where bounds[0].isEmpty:
      self = count > 0 && size > 0 ? .part(max(0, size - count)..<size) : .unsatisfiable
    default: break
    }
  }
}
