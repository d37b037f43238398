// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Hub
internal import Publishing
internal import Storage
internal import SystemPackage

/// `hubmerge push`: a model folder to a hub.
struct Push: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Upload a model folder to a repository of the hub, in one commit.",
    discussion: """
      Creates the repository if there is none. The card is checked first, files that the repository has \
      already are not sent, and nothing is visible before everything is there.
      """)

  @Argument(help: ArgumentHelp("The model folder.", valueName: "folder"), completion: .directory)
  var folder: String

  @Argument(help: ArgumentHelp("The repository, namespace/name.", valueName: "repo"))
  var repository: String

  @OptionGroup var options: PushOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let path = FilePath(folder)
    guard FileSystem.kind(path) == .folder else {
      throw UserError(status: .missingInput, what: "there is no folder \(folder)")
    }
    let client = try hub.client(console, observe: console.showTransfer)
    let id = try await client.qualified(RepoID(repository))
    let publication = options.publication(to: id, client, title: "Upload with hubmerge")
    return PushReport(
      repository: id, address: hub.address, upload: try await publication.push(path))
  }
}

struct PushReport: Report, Sendable {
  let repository: RepoID
  let address: String
  let upload: UploadResult

  var text: String {
    guard upload.isNewCommit else {
      return "unchanged  \(repository) has all \(upload.unchanged.count) files already\n\(url)"
    }
    let unchanged = upload.unchanged.isEmpty ? "" : ", \(upload.unchanged.count) unchanged"
    return """
      pushed  \(Quantity.plural(upload.changed.count, "file")) to \(repository)\(unchanged), \
      \(Quantity.bytes(upload.bytesSent)) sent
      \(url)
      """
  }

  /// The commit's page.
  var url: String {
    guard let url = upload.url else { return "\(address)/\(repository)/commit/\(upload.commit)" }
    return url.hasPrefix("/") ? address + url : url
  }

  var json: JSON {
    .object([
      .init("repository", .string(repository.description)),
      .init("commit", .string(upload.commit.hex)), .init("url", .string(url)),
      .init("new_commit", .bool(upload.isNewCommit)),
      .init("changed", .array(upload.changed.map { .string($0) })),
      .init("unchanged", .array(upload.unchanged.map { .string($0) })),
      .init("bytes_sent", .int(upload.bytesSent)),
    ])
  }

  var essence: String { url }
}
