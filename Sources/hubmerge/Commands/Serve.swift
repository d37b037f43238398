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
    discussion: """
      Speaks the protocol of the Hugging Face Hub: point HF_ENDPOINT, or --endpoint, at the address it \
      prints. Only this machine can reach it unless --host says otherwise. Tokens are read from a file \
      (--tokens) with one "name role token" on each line, role being read, write or admin; without tokens \
      everybody may do everything. Ctrl-C ends it.
      """)

  @Option(
    help: ArgumentHelp("The folder of the repositories.", valueName: "path"), completion: .directory
  )
  var root = "hub"

  @Option(help: "The port; 0 for any that is free.")
  var port = 8090

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: ArgumentHelp("A file of tokens.", valueName: "file"), completion: .file())
  var tokens: String?

  @Flag(help: "Refuse all changes.")
  var readOnly = false

  @Option(
    name: .customLong("import"),
    help: ArgumentHelp(
      "Make a repository of a folder first; may be repeated.", valueName: "namespace/name=folder"))
  var imports: [String] = []

  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    var configuration = HubServer.Configuration(root: FilePath(root))
    configuration.host = host
    configuration.port = port
    configuration.isReadOnly = readOnly
    configuration.tokens = try accessTokens()
    let server = HubServer(configuration)
    let url = try await server.start()
    do {
      for text in imports {
        let (id, folder) = try source(text)
        let commit = try await server.importFolder(folder, as: id, message: "Import \(id)")
        console.note("\(id) @ \(commit.hex.prefix(12)) from \(folder)")
      }
      console.announce(ServeReport(url: url, root: root))
      while true { try await Task.sleep(for: .seconds(3600)) }
    } catch is CancellationError {
      await server.stop()
      return ServeReport(url: nil, root: root)
    } catch {
      await server.stop()
      throw error
    }
  }

  private func source(_ text: String) throws -> (RepoID, FilePath) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw ValidationError("--import takes namespace/name=folder, not \"\(text)\".")
    }
    let folder = FilePath(parts[1])
    guard FileSystem.kind(folder) == .folder else {
      throw UserError(status: .missingInput, what: "there is no folder \(folder)")
    }
    return (try RepoID(parts[0]), folder)
  }

  private func accessTokens() throws -> [AccessToken] {
    guard let tokens else { return [] }
    let text = String(decoding: try FileSystem.read(FilePath(tokens)), as: UTF8.self)
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    return try lines.enumerated().map { number, line in
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 3, let role = Role(rawValue: words[1]) else {
        throw UserError(
          status: .badInput, what: "\(tokens):\(number + 1) is not \"name role token\"",
          advice: "role is read, write or admin")
      }
      return AccessToken(user: words[0], text: words[2], role: role)
    }
  }
}

/// The address of a running hub; nil when it has stopped.
struct ServeReport: Report, Sendable {
  let url: String?
  let root: String

  var text: String {
    url.map { "serving \(root) at \($0)\nHF_ENDPOINT=\($0)" } ?? "stopped"
  }
  var json: JSON {
    .object([.init("url", url.map { .string($0) } ?? .null), .init("root", .string(root))])
  }
  /// Empty when it has stopped: its address was all there was to tell.
  var essence: String { url ?? "" }
}
