// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// One origin: an open port and the connections to it.
final class Listener: Sendable {
  typealias Client = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
  typealias Socket = NIOAsyncChannel<Client, Never>

  private let port: Int
  private let task: Task<Void, Never>

  static func bind(
    _ host: String, _ port: Int, _ group: MultiThreadedEventLoopGroup, _ worker: Worker
  ) async throws -> Socket {
    do {
      return try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 256)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelOption(.maxMessagesPerRead, value: 4)
        .bind(host: host, port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
              withPipeliningAssistance: true, withErrorHandling: true)
            return try Client(wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw HubServer.Failure.cannotListen(host: host, port: port, reason: "\(error)")
    }
  }

  /// Begins to answer.
  init(_ socket: Socket, _ router: Router, _ worker: Worker) {
    port = socket.channel.localAddress?.port ?? 0
    task = Task { await Self.serve(socket, router, worker) }
  }

  private static func serve(_ socket: Socket, _ router: Router, _ worker: Worker) async {
    let occupancy = Occupancy()
    try? await socket.executeThenClose { clients in
      try await withThrowingDiscardingTaskGroup { group in
        for try await client in clients {
          let isWelcome = occupancy.enter() <= worker.configuration.connectionLimit
          group.addTask {
            defer { occupancy.leave() }
            if isWelcome {
              await Connection(client, router, worker).serve()
            } else {
              try? await client.executeThenClose { _, _ in }
            }
          }
        }
      }
    }
  }

  func url(host: String) -> String {
    let name = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
    return "http://" + (name.contains(":") ? "[\(name)]" : name) + ":\(port)"
  }

  func stop() async {
    task.cancel()
    await task.value
  }
}

/// How many connections are open.
private final class Occupancy: Sendable {
  private let count = Mutex(0)

  /// - Returns: The number with the one that comes in.
  func enter() -> Int {
    count.withLock {
      $0 += 1
      return $0
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}

/// What connections work with.
struct Worker: Sendable {
  let pool: NIOThreadPool
  let configuration: HubServer.Configuration
  let traffic: Traffic

  /// Runs blocking work off the event loops.
  func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await pool.runIfActive(work)
  }
}
