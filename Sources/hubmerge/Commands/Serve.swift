// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Hub
internal import LocalHub
internal import Storage
internal import SystemPackage

/// `hubmerge serve`: a hub over a folder.
struct Serve: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a hub of your own over a folder.",
    usage: "hubmerge serve [--root <path>] [--port <port>] [<options>]",
    discussion: """
      Speaks the protocol of the Hugging Face Hub: point HF_ENDPOINT, or --endpoint, at the address it \
      prints, and a browser too. Only this machine can reach it unless --host says otherwise. Without \
      tokens everybody may do everything. Ctrl-C ends it.
      """)

  @Option(
    help: ArgumentHelp("The folder of the repositories.", valueName: "path"), completion: .directory
  )
  var root = "hub"

  @Option(help: "The port; 0 for any that is free.")
  var port = 8090

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @OptionGroup var access: ServeAccess

  @Flag(help: "Refuse all changes.")
  var readOnly = false

  @Flag(
    help: ArgumentHelp(
      "Misbehave on request, for tests of clients.",
      discussion: """
        Rules are sent to /api/faults, one on a line: "status=503 path=/resolve/ times=2". Faults are \
        latency=200ms, rate=1000000, status=503, limited=5, truncate=1000, reset=1000, wrong-bytes, \
        ignore-range, expired-link, excess=5, redirect=URL and header=Name:Value; conditions are method=, \
        path=, skip= and times=. The header X-Hub-Fault asks for a fault of one request.
        """))
  var faults = false

  @OptionGroup var imports: ServeImports

  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let tokens = try access.tokens()
    let folders = try imports.folders()
    var configuration = HubServer.Configuration(root: FilePath(root))
    configuration.host = host
    configuration.port = port
    configuration.isReadOnly = readOnly
    configuration.faults = faults ? Faults() : nil
    configuration.tokens = tokens.all
    configuration.logger = console.logger("serve")
    if tokens.all.isEmpty, !readOnly, !["127.0.0.1", "localhost", "::1"].contains(host) {
      console.warn("whoever reaches \(host) may change everything: use --token or --read-only")
    }
    let server = HubServer(configuration)
    let url = try await server.start()
    do {
      for folder in folders {
        let commit = try await server.importFolder(
          folder.path, as: folder.id, message: "Import \(folder.id)", within: folder.boundary)
        console.note("\(folder.id) @ \(commit.hex.prefix(12)) from \(folder.path)")
      }
      console.announce(ServeReport(url: url, root: root, tokens: tokens.made))
      while true { try await Task.sleep(for: .seconds(3600)) }
    } catch is CancellationError {
      await server.stop()
      return ServeReport(url: nil, root: root)
    } catch {
      await server.stop()
      throw error
    }
  }
}

/// The address of a running hub, and the tokens made for it; no address when it has stopped.
struct ServeReport: Report, Sendable {
  let url: String?
  let root: String
  var tokens: [ServeAccess.MadeToken] = []

  var text: String {
    guard let url else { return "stopped" }
    let lines = ["serving \(root) at \(url)", "HF_ENDPOINT=\(url)"]
    return (lines + tokens.map { "HF_TOKEN=\($0.text)  # \($0.user), \($0.role)" })
      .joined(separator: "\n")
  }
  var json: JSON {
    .object([
      .init("url", url.map { .string($0) } ?? .null), .init("root", .string(root)),
      .init(
        "tokens",
        .array(
          tokens.map {
            ["name": .string($0.user), "role": .string($0.role), "token": .string($0.text)]
          })),
    ])
  }
  /// Empty when it has stopped: its address was all there was to tell.
  var essence: String { url ?? "" }
}
