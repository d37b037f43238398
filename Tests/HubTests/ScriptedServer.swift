// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// An HTTP server on loopback that answers with what a closure says: for replies that no honest hub
/// would give, and to see what a client sends.
final class ScriptedServer: Sendable {
  struct Request: Sendable {
    let method: String
    let path: String
    let query: String
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// First and last byte of a `Range` header.
    var range: ClosedRange<Int>? {
      guard let text = headers["range"]?.dropFirst("bytes=".count) else { return nil }
      let ends = text.split(separator: "-").compactMap { Int($0) }
      return ends.count == 2 ? ends[0]...ends[1] : nil
    }
  }

  struct Reply: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// The length to announce; a longer one than the body has cuts the connection short.
    var announcedLength: Int?
    /// Whether the body comes ten bytes at a time, a tenth of a second apart.
    var drips = false

    static func json(_ text: String, status: Int = 200, _ headers: [(String, String)] = []) -> Reply
    {
      Reply(
        status: status, headers: headers + [("Content-Type", "application/json")],
        body: Array(text.utf8))
    }

    static func redirect(_ target: String, status: Int = 302) -> Reply {
      Reply(status: status, headers: [("Location", target)], body: Array("elsewhere".utf8))
    }
  }

  let port: Int
  private let listener: Int32
  private let seen = Mutex<[Request]>([])
  private let handler: @Sendable (Request) -> Reply

  var origin: String { "http://127.0.0.1:\(port)" }
  /// The requests so far.
  var requests: [Request] { seen.withLock { $0 } }
  /// The requests so far, as "METHOD path".
  var lines: [String] { requests.map { "\($0.method) \($0.path)" } }

  init(_ handler: @escaping @Sendable (Request) -> Reply) {
    self.handler = handler
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(descriptor, raw, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, raw, &length) == 0
      }
    }
    precondition(bound)
    port = Int(UInt16(bigEndian: address.sin_port))
    listener = descriptor
    Self.thread { [weak self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { return }
        guard let self else {
          _ = close(connection)
          return
        }
        Self.thread { [weak self] in Self.serve(connection) { self?.answer($0) } }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func answer(_ request: Request) -> Reply {
    seen.withLock { $0.append(request) }
    return handler(request)
  }

  private final class Job: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func thread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let job = Unmanaged.passRetained(Job(body))
    pthread_create(
      &thread, nil,
      {
        Unmanaged<Job>.fromOpaque($0!).takeRetainedValue().body()
        return nil
      }, job.toOpaque())
    pthread_detach(thread)
  }

  private static func serve(_ connection: Int32, _ answer: (Request) -> Reply?) {
    defer { close(connection) }
    var pending: [UInt8] = []
    while let request = read(connection, &pending), let reply = answer(request) {
      let length = reply.announcedLength ?? reply.body.count
      var head = "HTTP/1.1 \(reply.status) Scripted\r\nContent-Length: \(length)\r\n"
      for (name, value) in reply.headers { head += "\(name): \(value)\r\n" }
      let body = request.method == "HEAD" ? [] : reply.body
      if reply.drips {
        guard drip(connection, Array("\(head)\r\n".utf8), body) else { return }
        continue
      }
      guard write(connection, Array("\(head)\r\n".utf8) + body) else { return }
      if length != reply.body.count { return }
    }
  }

  private static func drip(_ connection: Int32, _ head: [UInt8], _ body: [UInt8]) -> Bool {
    guard write(connection, head) else { return false }
    for start in stride(from: 0, to: body.count, by: 10) {
      guard write(connection, Array(body[start...].prefix(10))) else { return false }
      usleep(100_000)
    }
    return true
  }

  private static func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      let n = bytes.withUnsafeBytes {
        send(connection, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      if n <= 0 { return false }
      done += n
    }
    return true
  }

  private static func read(_ connection: Int32, _ pending: inout [UInt8]) -> Request? {
    func more() -> Bool {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let n = recv(connection, &buffer, buffer.count, 0)
      if n > 0 { pending += buffer[..<n] }
      return n > 0
    }
    let end = Array("\r\n\r\n".utf8)
    while pending.firstRange(of: end) == nil { if !more() { return nil } }
    let split = pending.firstRange(of: end)!
    let lines = String(decoding: pending[..<split.lowerBound], as: UTF8.self)
      .split(separator: "\r\n").map(String.init)
    pending.removeFirst(split.upperBound)
    let words = lines[0].split(separator: " ").map(String.init)
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] =
        String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    while pending.count < length { if !more() { return nil } }
    let body = Array(pending.prefix(length))
    pending.removeFirst(length)
    let parts = words[1].split(separator: "?", maxSplits: 1).map(String.init)
    return Request(
      method: words[0], path: parts[0], query: parts.count > 1 ? parts[1] : "", headers: headers,
      body: body)
  }
}
