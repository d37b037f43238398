// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// Takes requests from a connection piece by piece; what is not asked for stays in the socket.
struct RequestReader {
  private var parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
  private let channel: any Channel
  private let configuration: HubServer.Configuration
  private var isInBody = false
  private var awaitsContinue = false
  /// Bytes of an unwanted body that are read to keep a connection.
  private static let skipLimit = 64 << 20
  /// The size that chunks are gathered to before they go to a disk.
  private static let chunkSize = 256 << 10

  init(
    _ inbound: NIOAsyncChannelInboundStream<HTTPServerRequestPart>, _ channel: any Channel,
    _ configuration: HubServer.Configuration
  ) {
    parts = inbound.makeAsyncIterator()
    self.channel = channel
    self.configuration = configuration
  }

  /// The next request; nil when the client is done.
  mutating func nextHead() async throws -> HTTPRequestHead? {
    let alarm = channel.closing(after: configuration.headTimeout)
    defer { alarm.cancel() }
    while let part = try await parts.next() {
      guard case .head(let head) = part else { continue }
      isInBody = true
      awaitsContinue = head.headers[canonicalForm: "expect"].contains {
        $0.lowercased() == "100-continue"
      }
      return head
    }
    return nil
  }

  /// The next piece of the body, as it comes; nil at its end.
  private mutating func nextPiece() async throws -> ByteBuffer? {
    guard isInBody else { return nil }
    if awaitsContinue {
      awaitsContinue = false
      let head = HTTPResponseHead(version: .http1_1, status: .continue)
      try await channel.writeAndFlush(HTTPServerResponsePart.head(head)).get()
    }
    let alarm = channel.closing(after: configuration.idleTimeout)
    defer { alarm.cancel() }
    let part: HTTPServerRequestPart?
    // A body that is no HTTP has been answered already by whoever has found that out.
    do { part = try await parts.next() } catch { throw ConnectionLost() }
    switch part {
    case .body(let piece): return piece
    case .end:
      isInBody = false
      return nil
    case .head, nil: throw ConnectionLost()
    }
  }

  /// The next large piece of the body; nil at its end.
  mutating func nextChunk() async throws -> ByteBuffer? {
    // One chunk may take as long as a whole body in memory: a client cannot drip for ever.
    let alarm = channel.closing(after: configuration.bodyTimeout)
    defer { alarm.cancel() }
    guard var chunk = try await nextPiece() else { return nil }
    while chunk.readableBytes < Self.chunkSize, var piece = try await nextPiece() {
      chunk.writeBuffer(&piece)
    }
    return chunk
  }

  /// The whole body.
  ///
  /// - Throws: `HubFailure` 413 as soon as it is known to be longer than `limit`.
  mutating func bytes(limit: Int) async throws -> [UInt8] {
    let alarm = channel.closing(after: configuration.bodyTimeout)
    defer { alarm.cancel() }
    var bytes: [UInt8] = []
    while let piece = try await nextPiece() {
      guard piece.readableBytes <= limit - bytes.count else {
        throw HubFailure.tooLarge(limit: limit)
      }
      bytes += piece.readableBytesView
    }
    return bytes
  }

  /// Reads what is left of the body. False if that is too much, or was not even invited.
  mutating func skipRest() async throws -> Bool {
    guard isInBody else { return true }
    guard !awaitsContinue else { return false }
    let alarm = channel.closing(after: configuration.bodyTimeout)
    defer { alarm.cancel() }
    var skipped = 0
    while let piece = try await nextPiece() {
      skipped += piece.readableBytes
      if skipped > Self.skipLimit { return false }
    }
    return true
  }

  /// Tells the client that nothing more comes and waits a moment for it to close; a socket that is
  /// closed with unread bytes in it would take the reply along.
  mutating func linger() async throws {
    let alarm = channel.closing(after: .seconds(2))
    defer { alarm.cancel() }
    try await channel.close(mode: .output).get()
    while try await parts.next() != nil {}
  }
}

extension Channel {
  /// An alarm clock that closes the channel.
  func closing(after time: Duration) -> Scheduled<Void> {
    eventLoop.scheduleTask(in: TimeAmount(time)) { self.close(promise: nil) }
  }
}
