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
  var folder: String?

  @Option(help: ArgumentHelp("The id that the model has on the hub.", valueName: "repo"))
  var repository: String?

  @Option(
    help: ArgumentHelp(
      "What lm-evaluation-harness has measured, the JSON file that it writes.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var results: String?

  @Flag(help: "List the templates that come with hubmerge.")
  var list = false

  @OptionGroup var options: CardOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if list == (folder != nil) {
      throw ValidationError("Name the folder of a merged model, or --list to see the templates.")
    }
  }

  func perform(_ console: Console) async throws -> any Report & Sendable {
    guard let folder else { return TemplateList() }
    let path = FilePath(folder)
    let setup = MergeSetup(options, hub, console)
    let build = try setup.build(try MergedFolder(folder).recipe.string)
    let template = try setup.template()
    let results = try results.map { try evaluation($0) }
    let plan = try await build.plan()
    let card = path.appending("README.md")
    let existing = (try? FileSystem.read(card)).map { String(decoding: $0, as: UTF8.self) }
    let lock = FileSystem.exists(path.appending(MergeLock.fileName)) ? try MergeLock(of: path) : nil
    var facts = build.facts(plan, target: path, repository: repository).proved(by: lock)
    facts.results = results
    facts.pictures = MergeRecord(of: path)?.cardPictures ?? []
    let text = try template.render(facts, keeping: existing)
    try FileSystem.write(text, to: card)
    return CardReport(path: card, card: text)
  }

  private func evaluation(_ file: String) throws -> EvaluationResults {
    let bytes = try FileSystem.read(FilePath(file))
    do throws(EvaluationResults.Fault) { return try EvaluationResults(harnessFile: bytes) } catch {
      throw UserError(
        status: .badInput, what: "\(file) has no results of an evaluation", why: "\(error)",
        advice: "lm_eval writes the file with --output_path")
    }
  }
}

/// `hubmerge card --list`.
struct TemplateList: Report, Sendable {
  private let templates = CardTemplate.builtinNames.map { name in
    (name: name, summary: CardTemplate.summary(ofBuiltin: name) ?? "")
  }

  var text: String {
    let width = templates.map(\.name.count).max() ?? 0
    return templates.map { template in
      template.name + String(repeating: " ", count: width + 2 - template.name.count)
        + template.summary
    }.joined(separator: "\n")
  }

  var json: JSON {
    .array(
      templates.map { .object(["name": .string($0.name), "summary": .string($0.summary)]) })
  }

  var essence: String { templates.map(\.name).joined(separator: "\n") }
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
