// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage

/// `hubmerge card`: README.md of a merged model.
struct Card: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the model card (README.md) of a merged folder.",
    discussion: """
      Reads the recipe that the merge has left in the folder (mergekit_config.yml) and the headers of its \
      models. What stands between the card's "hubmerge:keep" markers is kept.
      """)

  @Argument(
    help: ArgumentHelp("The merged model's folder.", valueName: "folder"), completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("The id that the model has on the hub.", valueName: "repo"))
  var repository: String?

  @OptionGroup var options: CardOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let path = FilePath(folder)
    let recipe = path.appending("mergekit_config.yml")
    guard FileSystem.kind(recipe) == .file else {
      throw UserError(
        status: .missingInput, what: "\(folder) has no mergekit_config.yml",
        advice: "name a folder that \"hubmerge merge\" has made")
    }
    let setup = MergeSetup(options, hub, console)
    let build = try setup.build(recipe.string)
    let plan = try await build.plan()
    let card = path.appending("README.md")
    let existing = (try? FileSystem.read(card)).map { String(decoding: $0, as: UTF8.self) }
    let text = try setup.template().render(
      build.facts(plan, target: path, repository: repository), keeping: existing)
    try FileSystem.write(text, to: card)
    return CardReport(path: card, card: text)
  }
}

struct CardReport: Report, Sendable {
  let path: FilePath
  let card: String

  var text: String { "wrote  \(path)" }
  var json: JSON {
    .object([.init("path", .string(path.string)), .init("card", .string(card))])
  }
  var essence: String { path.string }
}
