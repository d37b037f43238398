// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

/// What all requests share: the store and the rules.
struct Service: Sendable {
  let configuration: HubServer.Configuration
  let store: Store
  let accounts: Accounts
  let signer: Signer
  let uploads: MultipartUploads
  let blobPort: Int

  /// - Throws: `HubFailure` 403 if the server only shows what it has.
  func requireWritable() throws(HubFailure) {
    if configuration.isReadOnly { throw HubFailure(.forbidden, "This hub is read-only") }
  }
}

/// A request with all that is needed to answer it.
struct Exchange: Sendable {
  /// The body as it was received.
  enum Body: Sendable {
    case bytes([UInt8])
    case file(Spool)
  }

  let request: Request
  /// The named segments of the path.
  let names: [Substring: String]
  let service: Service
  var caller: Caller
  /// The repository that the path names.
  var found: StoredRepository?
  var body = Body.bytes([])
  /// Whether a fault wants the whole file whatever is asked for.
  var ignoresRange = false

  func name(_ name: Substring) throws(HubFailure) -> String {
    guard let value = names[name] else { throw .badRequest("The path lacks \(name)") }
    return value
  }

  /// The id of a repository that the path names; nil if there is none in it, or none that can be.
  var repositoryID: RepoID? {
    guard let namespace = names["namespace"], let name = names["repo"] else { return nil }
    return try? RepoID(
      "\(namespace)/\(name)", kind: names["type"] == "datasets" ? .dataset : .model)
  }

  var repository: StoredRepository {
    get throws(HubFailure) {
      guard let found else { throw .repositoryNotFound(anonymous: caller.isAnonymous) }
      return found
    }
  }

  /// The body as JSON; an empty one is an empty object.
  func json() throws(HubFailure) -> JSON {
    guard case .bytes(let bytes) = body, !bytes.isEmpty else { return .object([]) }
    do {
      return try JSON.parse(bytes)
    } catch {
      throw .badRequest("The body is not JSON: \(error)")
    }
  }

  func requireWriting(to namespace: String?) throws(HubFailure) {
    try service.requireWritable()
    guard !caller.canWrite(to: namespace) else { return }
    throw caller.isAnonymous
      ? HubFailure(.unauthorized, "Invalid username or password.")
      : HubFailure(
        .forbidden, "You don't have the rights to write to the namespace \(namespace ?? "")")
  }

  /// This server's origin, by the name that the client knows it by.
  var hubOrigin: String { origin(port: request.headers.first(name: "host").flatMap(Self.port)) }
  /// The origin that large files come from and go to.
  var blobOrigin: String { origin(port: service.blobPort) }

  private func origin(port: Int?) -> String {
    let host = request.hostname ?? service.configuration.host
    return "http://\(host)" + (port.map { ":\($0)" } ?? "")
  }

  private static func port(_ host: String) -> Int? {
    host.hasSuffix("]") ? nil : host.split(separator: ":").last.flatMap { Int($0) }
  }

  /// One page of a long list, with a link to the next one.
  ///
  /// - Parameters:
  ///   - size: Items per page.
  ///   - listed: An item as the page shows it.
  func page<Item>(
    _ items: [Item], size: Int, _ listed: (Item) throws -> JSON
  ) rethrows -> Response {
    let start = min(max(request["cursor"].flatMap { Int($0, radix: 36) } ?? 0, 0), items.count)
    let limit = min(request["limit"].flatMap { Int($0) }.map { max($0, 1) } ?? size, size)
    let end = start + min(limit, items.count - start)
    var response = Response.json(.array(try items[start..<end].map(listed)))
    if end < items.count {
      let kept = request.query.filter { $0.name != "cursor" } + [("cursor", String(end, radix: 36))]
      let query = kept.map {
        PercentEncoding.encoded($0.name) + "=" + PercentEncoding.encoded($0.value)
      }
      let path = request.target.prefix { $0 != "?" }
      response.headers.add(
        name: "Link", value: "<\(hubOrigin)\(path)?\(query.joined(separator: "&"))>; rel=\"next\"")
    }
    return response
  }
}
