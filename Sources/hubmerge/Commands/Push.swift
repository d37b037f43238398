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
      already are not sent, and nothing is visible before everything is there. Broken off, the same command \
      goes on: no file is read or sent twice. Left out is what the repository's .gitignore names.
      """)

  @Argument(help: ArgumentHelp("The model folder.", valueName: "folder"), completion: .directory)
  var folder: String

  @Argument(help: ArgumentHelp("The repository, namespace/name.", valueName: "repo"))
  var repository: String

  @Option(help: ArgumentHelp("Only files whose path matches; may be repeated.", valueName: "glob"))
  var include: [String] = []

  @Option(help: ArgumentHelp("No files whose path matches; may be repeated.", valueName: "glob"))
  var exclude: [String] = []

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
    let publication = options.publication(
      to: id, client, title: "Upload with hubmerge", state: hub.state)
    let selection = FileSelection(include: include, exclude: exclude)
    if options.dryRun {
      return RehearsalReport(
        repository: id, rehearsal: try await publication.rehearse(path, selection))
    }
    let report = PushReport(
      repository: id, address: hub.address, result: try await publication.push(path, selection))
    try report.tellWorkflow()
    return report
  }
}
