// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Logging

/// A client of one Hub, and the door to its repositories.
///
/// All that it does is told to it by a `HubConfiguration`; what it is doing it tells as `HubEvent`s.
package final class HubClient: Sendable {
  let connection: HubConnection

  /// - Parameters:
  ///   - logger: Gets one line for each request; a silent one by default.
  ///   - observe: Called from any thread, while transfers run.
  package init(
    _ configuration: HubConfiguration,
    logger: Logger = Logger(label: "hub") { _ in SwiftLogNoOpLogHandler() },
    observe: @escaping HubObserver = { _ in }
  ) {
    connection = HubConnection(configuration, logger: logger, observe: observe)
  }

  package func repository(_ id: RepoID) -> Repository { Repository(id: id, client: self) }

  /// - Throws: `InvalidRepoID`.
  package func model(_ id: String) throws(InvalidRepoID) -> Repository {
    repository(try RepoID(id, kind: .model))
  }

  /// - Throws: `InvalidRepoID`.
  package func dataset(_ id: String) throws(InvalidRepoID) -> Repository {
    repository(try RepoID(id, kind: .dataset))
  }

  /// `id` in the user's own namespace if it has none.
  package func qualified(_ id: RepoID) async throws -> RepoID {
    guard id.namespace == nil else { return id }
    return try RepoID("\(try await whoAmI().name)/\(id.name)", kind: id.kind)
  }
}

/// One repository of a Hub. A handle: nothing is asked before a method is called.
package struct Repository: Sendable {
  package let id: RepoID
  package let client: HubClient

  var connection: HubConnection { client.connection }
  var urls: HubURLs { client.connection.urls }

  /// The repository's page, for people.
  package var page: String { urls.page(id).text }
}
