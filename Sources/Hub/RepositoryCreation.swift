// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

package enum Visibility: String, Sendable {
  case `public`, `private`
}

extension HubClient {
  /// Creates a repository, with a first commit on `main`.
  ///
  /// A token that may not create but sees that the repository exists is no failure if `existOK`.
  ///
  /// - Parameters:
  ///   - visibility: Nil for what the owner has set as default.
  ///   - existOK: Whether one that is there already is as good.
  /// - Returns: Whether the repository is new.
  @discardableResult
  package func createRepository(
    _ id: RepoID, visibility: Visibility? = nil, existOK: Bool = true
  ) async throws -> Bool {
    let body = JSON.object([
      "name": .string(id.name), "organization": id.namespace.map { .string($0) },
      "type": id.kind == .model ? nil : .string(id.kind.rawValue),
      "visibility": visibility.map { .string($0.rawValue) },
    ])
    var attempt = 0
    while true {
      do {
        _ = try await connection.json(.post, connection.urls.createRepository, body)
        return true
      } catch let error as HubError {
        switch error.exchange?.status {
        case 409 where error.exchange?.message?.contains("conflicting operation") == true:
          // The Hub creates one repository of a user at a time.
          guard attempt < connection.configuration.retry.retries else { throw error }
          attempt += 1
          try await connection.wait(1, .busy(status: 409))
        case 409:
          guard existOK else {
            throw HubError(.repositoryExists, repository: id, exchange: error.exchange)
          }
          return false
        case 401, 402, 403:
          guard existOK, (try? await repository(id).info()) != nil else { throw error }
          return false
        default: throw error
        }
      }
    }
  }
}

extension Repository {
  /// Deletes the repository with all its history.
  package func delete() async throws {
    let body = JSON.object([
      "name": .string(id.name), "organization": id.namespace.map { .string($0) },
      "type": id.kind == .model ? nil : .string(id.kind.rawValue),
    ])
    let request = HTTPRequest(
      .delete, urls.deleteRepository, headers: ["Content-Type": "application/json"],
      body: .bytes(Array(body.serialized(.compact).utf8)))
    _ = try await connection.send(request, about: id)
  }
}
