// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Storage
internal import Synchronization
package import SystemPackage

/// A hub in a box: repositories in a folder, served as the Hugging Face Hub serves its own.
///
/// It answers on two origins: the hub itself, and a second port for the contents of large files,
/// because clients treat what another origin sends them differently.
package final class HubServer: Sendable {
  private struct Running {
    let service: Service
    let hub: Listener
    let blobs: Listener
    let group: MultiThreadedEventLoopGroup
    let pool: NIOThreadPool
  }

  private let configuration: Configuration
  private let running = Mutex<Running?>(nil)
  private let traffic = Traffic()

  package init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  /// Opens the folder and listens.
  ///
  /// - Returns: The hub's origin, for example `http://127.0.0.1:8090`.
  /// - Throws: `HubServer.Failure`, `StorageError`.
  package func start() async throws -> String {
    guard running.withLock({ $0 == nil }) else { throw Failure.alreadyStarted }
    let store = try Store(configuration.root)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let pool = NIOThreadPool(numberOfThreads: 8)
    pool.start()
    let worker = Worker(pool: pool, configuration: configuration, traffic: traffic)
    do {
      // The blobs first: the hub's answers name their port.
      let blobSocket = try await Listener.bind(
        configuration.host, configuration.blobPort, group, worker)
      let hubSocket: Listener.Socket
      do {
        hubSocket = try await Listener.bind(configuration.host, configuration.port, group, worker)
      } catch {
        try? await blobSocket.channel.close()
        throw error
      }
      let service = Service(
        configuration: configuration, store: store,
        accounts: Accounts(
          tokens: configuration.tokens, anonymousWrite: configuration.allowsAnonymousWrite),
        signer: Signer(lifetime: configuration.linkLifetime),
        uploads: MultipartUploads(
          blobs: store.blobs, partSize: max(1, configuration.partSize),
          lifetime: configuration.linkLifetime),
        blobPort: blobSocket.channel.localAddress?.port ?? 0)
      let routes = Route.hub + (configuration.faults == nil ? [] : Route.faultControl)
      let running = Running(
        service: service,
        hub: Listener(hubSocket, Router(routes: routes, service: service), worker),
        blobs: Listener(blobSocket, Router(routes: Route.blobs, service: service), worker),
        group: group, pool: pool)
      self.running.withLock { $0 = running }
      return running.hub.url(host: configuration.host)
    } catch {
      try? await group.shutdownGracefully()
      try? await pool.shutdownGracefully()
      throw error
    }
  }

  /// The hub's origin; nil while the server does not run.
  package var url: String? {
    running.withLock { $0?.hub.url(host: configuration.host) }
  }

  /// The origin of large files; nil while the server does not run.
  package var blobURL: String? {
    running.withLock { $0?.blobs.url(host: configuration.host) }
  }

  /// Bytes of bodies that have been sent, listings and files alike.
  package var bytesSent: Int { traffic.bytes }

  /// Closes all connections; what has been acknowledged is on the disk.
  package func stop() async {
    guard let running = running.withLock({ $0.take() }) else { return }
    await running.hub.stop()
    await running.blobs.stop()
    try? await running.group.shutdownGracefully()
    try? await running.pool.shutdownGracefully()
  }

  /// Makes a commit of a folder's files, in a repository that is created if it is missing.
  ///
  /// Hidden files and folders stay behind; nothing happens if the repository has all files already.
  ///
  /// - Parameter boundary: Where symlinks in the folder may lead to; to the folder itself if nil.
  /// - Returns: The commit that the branch `main` is at then.
  /// - Throws: `HubServer.Failure.linkLeavesFolder`, `StorageError`.
  package func importFolder(
    _ folder: FilePath, as id: RepoID, message: String, within boundary: FilePath? = nil
  ) async throws -> CommitID {
    guard let running = running.withLock({ $0 }) else { throw CancellationError() }
    let (store, limit) = (running.service.store, configuration.regularFileLimit)
    return try await running.pool.runIfActive {
      try store.importFolder(
        folder, within: boundary ?? folder, as: id, message: message, largeFrom: limit)
    }
  }
}
