// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Storage

/// A client's connection: one request after the other.
struct Connection: Sendable {
  private let client: Listener.Client
  private let router: Router
  private let worker: Worker

  init(_ client: Listener.Client, _ router: Router, _ worker: Worker) {
    self.client = client
    self.router = router
    self.worker = worker
  }

  /// Answers until the client or the rules end it. What goes wrong ends this connection only.
  func serve() async {
    do {
      try await client.executeThenClose { inbound, _ in
        var reader = RequestReader(inbound, client.channel, worker.configuration)
        let writer = ResponseWriter(client.channel, worker)
        while let head = try await reader.nextHead() {
          guard try await answer(head, &reader, writer) else { break }
        }
      }
    } catch {
      worker.configuration.logger?.debug("connection ended: \(error)")
    }
  }

  /// - Returns: Whether the connection is good for another request.
  private func answer(
    _ head: HTTPRequestHead, _ reader: inout RequestReader, _ writer: ResponseWriter
  ) async throws -> Bool {
    var plan = ResponseWriter.Plan(for: head)
    var response: Response
    var known: Request?
    do {
      let request = try Request(head)
      known = request
      for action in try faults(of: request) { try await plan.apply(action) }
      if let replacement = plan.replacement {
        response = replacement
      } else {
        response = try await reply(to: request, &reader, ignoringRange: plan.ignoresRange)
      }
    } catch let failure as HubFailure {
      response =
        if let known, known.wantsPage { Page.refusal(failure, known) } else { failure.response }
    } catch let moved as Moved {
      response = moved.response
    } catch let error as StorageError where error.isDiskFull {
      worker.configuration.logger?.error("\(head.method) \(head.path): \(error)")
      response = HubFailure(.insufficientStorage, "The hub's disk is full").response
    } catch let error where !(error is ConnectionLost) && !(error is CancellationError) {
      worker.configuration.logger?.error("\(head.method) \(head.path): \(error)")
      response = HubFailure(.internalServerError, "The hub failed; its log says why").response
    }
    response.headers.replaceOrAdd(name: "X-Request-Id", value: known?.id ?? "local")
    // The rest of a body that nobody wanted: a little is read away, after more the connection ends.
    let isRead = try await reader.skipRest()
    plan.closes = plan.closes || !isRead || !head.isKeepAlive
    worker.configuration.logger?.debug("\(head.method) \(head.path) \(response.status.code)")
    try await writer.write(response, plan)
    if plan.closes { try? await reader.linger() }
    return !plan.closes
  }

  /// What is to go wrong with a request: by the rules, and by its own wish.
  private func faults(of request: Request) throws(HubFailure) -> [Faults.Action] {
    guard let faults = worker.configuration.faults,
      !request.target.hasPrefix(Route.faultsPath)
    else { return [] }
    var actions = faults.actions(method: request.method, target: request.target)
    for wish in request.headers["X-Hub-Fault"] {
      do throws(InvalidFault) {
        actions += try Faults.rules(wish).map(\.action)
      } catch {
        throw .badRequest("\"\(error.text)\" is no fault: \(error.reason)")
      }
    }
    return actions
  }

  private func reply(
    to request: Request, _ reader: inout RequestReader, ignoringRange: Bool
  ) async throws -> Response {
    let router = router
    if request.hasNoBody {
      return try await worker.run {
        var (route, exchange) = try router.admit(request)
        exchange.ignoresRange = ignoringRange
        return try route.answer(exchange)
      }
    }
    let admitted = try await worker.run { try router.admit(request) }
    var exchange = admitted.1
    exchange.ignoresRange = ignoringRange
    switch admitted.0.body {
    case .memory(let limit): exchange.body = .bytes(try await reader.bytes(limit: limit))
    case .file(let open):
      let prepared = exchange
      let spool = try await worker.run { try open(prepared) }
      while let chunk = try await reader.nextChunk() {
        try await worker.run { try spool.append(chunk) }
      }
      exchange.body = .file(spool)
    }
    let (route, complete) = (admitted.0, exchange)
    return try await worker.run { try route.answer(complete) }
  }
}

/// The client went away, or was too slow.
struct ConnectionLost: Error {}

extension HTTPRequestHead {
  /// The target without its query, which may hold the signature of a link.
  fileprivate var path: Substring { uri.prefix { $0 != "?" } }
}
