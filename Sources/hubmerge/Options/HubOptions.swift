// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import Storage
internal import SystemPackage

/// Which hub, and where its cache is.
struct HubOptions: ParsableArguments {
  @Option(help: "Address of the hub (HF_ENDPOINT, else https://huggingface.co).")
  var endpoint: String?

  @Option(
    name: [.customLong("cache-dir"), .customLong("transformers-cache")],
    help: ArgumentHelp("Folder of the cache (HF_HUB_CACHE).", valueName: "path"),
    completion: .directory)
  var cacheFolder: String?

  @Flag(help: "Use only what the cache has (HF_HUB_OFFLINE).")
  var offline = false

  private var environment: Environment { .process }

  /// The hub's address, without a slash at its end.
  var address: String {
    var text = endpoint ?? environment.endpoint
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

  var cache: HubCache {
    HubCache(
      cacheFolder.map { FilePath($0) } ?? environment.hubCache,
      usesSymlinks: !environment.disablesSymlinks)
  }

  /// Where work in progress is kept from run to run.
  var state: FilePath { environment.workspace }

  func client(_ console: Console, observe: @escaping HubObserver) throws -> HubClient {
    guard let url = WebURL(address) else {
      throw ValidationError("\"\(address)\" is not the address of a hub; it begins with https://")
    }
    var configuration = HubConfiguration(
      endpoint: url, token: token, userAgent: "hubmerge/\(Hubmerge.version); swift/6")
    configuration.trustedPublisher = try environment.trustedPublisher
    configuration.isOffline = offline || environment.isOffline
    if let timeout = environment.downloadTimeout { configuration.transport.patience = timeout }
    configuration.transport.authorities = environment.authorities
    return HubClient(configuration, logger: console.logger("hub"), observe: observe)
  }

  /// The token of the environment, or of the file that a login has left.
  private var token: Token? {
    guard environment.usesStoredToken else { return nil }
    if let token = environment.token { return token }
    guard let bytes = try? FileSystem.read(environment.tokenFile) else { return nil }
    return Token(String(decoding: bytes, as: UTF8.self))
  }
}
