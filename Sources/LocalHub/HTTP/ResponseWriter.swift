// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Storage
internal import SystemPackage

/// Writes responses to a connection.
struct ResponseWriter: Sendable {
  /// How a response is to be written: as the request wants it, and as faults spoil it.
  struct Plan {
    let isHead: Bool
    var closes = false
    var replacement: Response?
    var ignoresRange = false
    fileprivate var cut: (after: Int, isReset: Bool)?
    fileprivate var corrupts = false
    fileprivate var excess = 0

    init(for head: HTTPRequestHead) { isHead = head.method == .HEAD }

    mutating func apply(_ fault: Faults.Action) async throws {
      switch fault {
      case .latency(let time): try await Task.sleep(for: time)
      case .status(let code, let headers):
        var failure = HubFailure(HTTPResponseStatus(statusCode: code), "This is a deliberate fault")
        for (name, value) in headers { failure.headers.add(name: name, value: value) }
        replacement = failure.response
      case .rateLimited(let seconds):
        var failure = HubFailure(.tooManyRequests, "You have been rate limited")
        failure.headers.add(name: "RateLimit", value: "\"api\";r=0;t=\(seconds)")
        failure.headers.add(name: "RateLimit-Policy", value: "\"fixed window\";\"api\";q=500;w=300")
        replacement = failure.response
      case .expiredLink:
        replacement = HubFailure(.forbidden, "This link has expired").response
      case .truncate(let count): cut = (count, false)
      case .reset(let count): cut = (count, true)
      case .wrongBytes: corrupts = true
      case .ignoreRange: ignoresRange = true
      case .wrongLength(let count):
        excess = count
        closes = true
      }
    }
  }

  private let channel: any Channel
  private let worker: Worker
  /// Bytes of a file that are on their way at once; the time limit is for one slice.
  private static let sliceSize = 1 << 20

  init(_ channel: any Channel, _ worker: Worker) {
    self.channel = channel
    self.worker = worker
  }

  func write(_ response: Response, _ plan: Plan) async throws {
    let count = response.content.count
    var head = HTTPResponseHead(
      version: .http1_1, status: response.status, headers: response.headers)
    head.headers.replaceOrAdd(name: "Content-Length", value: String(count + plan.excess))
    head.headers.replaceOrAdd(name: "Connection", value: plan.closes ? "close" : "keep-alive")
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    let end = min(count, plan.cut?.after ?? count)
    if !plan.isHead { try await writeBody(response.content, end, plan) }
    if let cut = plan.cut, end < count, !plan.isHead {
      try await flush()
      if cut.isReset { try await resetOnClose() }
      try await channel.close().get()
      throw ConnectionLost()
    }
    try await send(.end(nil))
  }

  private func writeBody(_ content: Response.Content, _ end: Int, _ plan: Plan) async throws {
    var start = 0
    if plan.corrupts, end > 0, let first = try await firstByte(of: content) {
      try await send(.body(.byteBuffer(ByteBuffer(bytes: [~first]))))
      start = 1
    }
    switch content {
    case .bytes(let bytes):
      if start < end { try await send(.body(.byteBuffer(ByteBuffer(bytes: bytes[start..<end])))) }
    case .file(let path, let range):
      guard start < end else { return }
      let part = range.lowerBound + start..<range.lowerBound + end
      let file = try await worker.run { try NIOFileHandle(reading: path) }
      defer { try? file.close() }
      for offset in stride(from: part.lowerBound, to: part.upperBound, by: Self.sliceSize) {
        let sliceEnd = min(offset + Self.sliceSize, part.upperBound)
        let slice = FileRegion(fileHandle: file, readerIndex: offset, endIndex: sliceEnd)
        try await send(.body(.fileRegion(slice)))
      }
    }
  }

  private func firstByte(of content: Response.Content) async throws -> UInt8? {
    switch content {
    case .bytes(let bytes): return bytes.first
    case .file(let path, let range):
      return try await worker.run {
        try File(path, .read).bytes(at: range.lowerBound, count: 1).first
      }
    }
  }

  /// Waits until the part is in the socket's hands.
  private func send(_ part: HTTPServerResponsePart) async throws {
    let alarm = channel.closing(after: worker.configuration.idleTimeout)
    defer { alarm.cancel() }
    try await channel.writeAndFlush(part).get()
  }

  private func flush() async throws { channel.flush() }

  /// Makes the socket forget what it has not sent, and tell the client so, when it is closed.
  private func resetOnClose() async throws {
    guard let socket = channel as? any SocketOptionProvider else { return }
    try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
  }
}

extension NIOFileHandle {
  /// A handle of its own on a file; the caller closes it.
  fileprivate convenience init(reading path: FilePath) throws(StorageError) {
    let file = try File(path, .read)
    let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else { throw StorageError("open", path) }
    // Spelled "deprecated" since it exists, because it takes a bare descriptor; there is no other
    // way to a `FileRegion` without opening files on the event loop.
    self.init(_deprecatedTakingOwnershipOfDescriptor: descriptor)
  }
}
