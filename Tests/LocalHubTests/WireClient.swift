// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Glibc

/// A client that knows nothing but sockets, so that the tests see what is on the wire.
struct WireClient: Sendable {
  struct Reply: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    subscript(name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSON { (try? JSON.parse(body)) ?? .null }
  }

  struct Failure: Error { let message: String }

  let port: UInt16
  var token: String?

  init(_ url: String, token: String? = nil) {
    port = UInt16(url.split(separator: ":").last?.prefix { $0.isNumber } ?? "") ?? 0
    self.token = token
  }

  /// The reply to one request on a connection of its own.
  func send(
    _ method: String, _ target: String, headers: [String] = [], body: [UInt8]? = nil
  ) async throws -> Reply {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
    if let token { head += "Authorization: Bearer \(token)\r\n" }
    for header in headers { head += header + "\r\n" }
    if let body { head += "Content-Length: \(body.count)\r\n" }
    let bytes = try await exchange(Array((head + "\r\n").utf8) + (body ?? []))
    return try Self.parse(bytes)
  }

  func send(_ method: String, _ target: String, json: JSON) async throws -> Reply {
    try await send(
      method, target, headers: ["Content-Type: application/json"],
      body: Array(json.serialized(.compact).utf8))
  }

  /// The reply to a request for a link of any of the server's origins.
  static func follow(
    _ link: String, _ method: String = "GET", headers: [String] = [], body: [UInt8]? = nil
  ) async throws -> Reply {
    let rest = link.dropFirst("http://".count)
    let origin = rest.prefix { $0 != "/" }
    return try await WireClient("http://" + origin)
      .send(method, String(rest.dropFirst(origin.count)), headers: headers, body: body)
  }

  /// All that the server sends in answer to `bytes` until it closes the connection.
  func exchange(_ bytes: [UInt8]) async throws -> [UInt8] {
    let port = port
    return try await withCheckedThrowingContinuation { done in
      Errand { done.resume(with: Result { try Self.talk(port, bytes) }) }.run()
    }
  }

  private static func talk(_ port: UInt16, _ bytes: [UInt8]) throws -> [UInt8] {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(fd) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(message: "cannot connect") }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var sent = 0
    while sent < bytes.count {
      let n = bytes.withUnsafeBytes {
        Glibc.send(fd, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      // The server may have said no and gone; what it said is still to be read.
      if n <= 0 { break }
      sent += n
    }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let n = recv(fd, &buffer, buffer.count, 0)
      if n < 0, errno == EAGAIN { throw Failure(message: "the server does not answer") }
      if n <= 0 { return received }
      received += buffer[..<n]
    }
  }

  static func parse(_ bytes: [UInt8]) throws -> Reply {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
      throw Failure(message: "no reply: \(String(decoding: bytes, as: UTF8.self))")
    }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw Failure(message: "no status line") }
    let body = Array(bytes[end.upperBound...])
    if status == 100 { return try parse(body) }
    let headers = lines.dropFirst().map { line in
      let pair = line.split(separator: ":", maxSplits: 1)
      return (
        name: String(pair[0]), value: pair.count == 2 ? String(pair[1].drop { $0 == " " }) : ""
      )
    }
    return Reply(status: status, headers: headers, body: body)
  }
}

/// Blocking work on a thread of its own: the shared ones are what the server's tasks run on.
private final class Errand: Sendable {
  private let work: @Sendable () -> Void

  init(_ work: @escaping @Sendable () -> Void) { self.work = work }

  func run() {
    var thread = pthread_t()
    let errand = Unmanaged.passRetained(self).toOpaque()
    let result = pthread_create(
      &thread, nil,
      { errand in
        if let errand { Unmanaged<Errand>.fromOpaque(errand).takeRetainedValue().work() }
        return nil
      }, errand)
    precondition(result == 0, "a thread can be made")
    pthread_detach(thread)
  }
}
