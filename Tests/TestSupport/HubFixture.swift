// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import LocalHub
package import SystemPackage

/// A hub in a temporary folder, for the time of a test.
package struct HubFixture: Sendable {
  package let server: HubServer
  /// The hub's origin.
  package let url: String
  package let root: FilePath

  /// What a hub is like unless a test says otherwise.
  package static let defaults = HubServer.Configuration(root: "")

  /// Starts a hub on free ports of this machine, calls `body`, stops the hub and removes its folder.
  ///
  /// - Parameter configuration: The rest of the configuration; its folder is replaced.
  package static func withHub<Value>(
    _ configuration: HubServer.Configuration = defaults,
    tokens: [AccessToken] = [], faults: Faults? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (HubFixture) async throws -> Value
  ) async throws -> Value {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    var configuration = configuration
    configuration.root = folder.path.appending("hub")
    configuration.tokens = tokens
    configuration.faults = faults
    let server = HubServer(configuration)
    let url = try await server.start()
    do {
      let value = try await body(HubFixture(server: server, url: url, root: configuration.root))
      await server.stop()
      return value
    } catch {
      await server.stop()
      throw error
    }
  }
}

extension HubServer.Configuration {
  /// This configuration with another value in one place.
  package func setting<Value>(_ place: WritableKeyPath<Self, Value>, to value: Value) -> Self {
    var configuration = self
    configuration[keyPath: place] = value
    return configuration
  }
}
