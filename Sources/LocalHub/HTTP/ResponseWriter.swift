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
    fileprivate var rate: Int?
    fileprivate var headers: [(name: String, value: String)] = []

    /// Bytes of a body that are on their way at once; the time limit is for one slice.
    fileprivate var sliceSize: Int { min(max((rate ?? .max) / 20, 1), 1 << 20) }

    init(for head: HTTPRequestHead) { isHead = head.method == .HEAD }

    mutating func apply(_ fault: Faults.Action) async throws {
      switch fault {
      case .latency(let time): try await Task.sleep(for: time)
      case .rate(let count): rate = count
      case .header(let name, let value): headers.append((name, value))
      case .redirect(let target):
        replacement = Response(status: .found).adding("Location", target)
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
    for (name, value) in plan.headers { head.headers.replaceOrAdd(name: name, value: value) }
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    let end = min(count, plan.cut?.after ?? count)
    guard !plan.isHead else { return try await send(.end(nil)) }
    try await writeBody(response.content, end, plan, isWhole: end == count)
    if let cut = plan.cut, end < count {
      if cut.isReset { try await resetOnClose() }
      try await channel.close().get()
      throw ConnectionLost()
    }
  }

  /// - Parameter isWhole: Whether the response ends with these bytes.
  private func writeBody(
    _ content: Response.Content, _ end: Int, _ plan: Plan, isWhole: Bool
  ) async throws {
    var start = 0
    if plan.corrupts, end > 0, let first = try await firstByte(of: content) {
      try await send(.body(.byteBuffer(ByteBuffer(bytes: [~first]))))
      start = 1
    }
    guard start < end else {
      if isWhole { try await send(.end(nil)) }
      return
    }
    switch content {
    case .bytes(let bytes):
      try await send(start..<end, plan, isWhole: isWhole) {
        .byteBuffer(ByteBuffer(bytes: bytes[$0]))
      }
    case .file(let path, let range):
      let part = range.lowerBound + start..<range.lowerBound + end
      let file = try await worker.run { try NIOFileHandle(reading: path) }
      defer { try? file.close() }
      try await send(part, plan, isWhole: isWhole) { slice in
        .fileRegion(
          FileRegion(fileHandle: file, readerIndex: slice.lowerBound, endIndex: slice.upperBound))
      }
    }
  }

  /// Sends a body slice by slice; the end goes out with the last one.
  private func send(
    _ range: Range<Int>, _ plan: Plan, isWhole: Bool, slice: (Range<Int>) -> IOData
  ) async throws {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: plan.sliceSize) {
      let end = min(start + plan.sliceSize, range.upperBound)
      let part = HTTPServerResponsePart.body(slice(start..<end))
      if isWhole, end == range.upperBound {
        channel.write(part, promise: nil)
        try await send(.end(nil))
      } else {
        try await send(part)
      }
      if let rate = plan.rate {
        try await Task.sleep(for: .seconds(Double(end - start) / Double(rate)))
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
