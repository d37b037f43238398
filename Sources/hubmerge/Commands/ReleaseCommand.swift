// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Hub
internal import Merging
internal import Publishing
internal import SystemPackage

/// `hubmerge release`: fetch, merge, card and push in one go.
struct ReleaseCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Fetch the models of a recipe, merge them, write the card and push the result.",
    discussion: """
      One job: broken off at any point, the same command goes on where it was. The model is built in a work \
      folder beside the cache, which is removed when the model is published.
      """)

  @Argument(
    help: ArgumentHelp("The recipe, a YAML file.", valueName: "recipe"), completion: .file())
  var recipe: String

  @Argument(help: ArgumentHelp("The repository, namespace/name.", valueName: "repo"))
  var repository: String

  @OptionGroup var options: MergeOptions
  @OptionGroup var pushing: PushOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let setup = MergeSetup(options, hub, console)
    let build = try setup.build(recipe)
    let client = build.source.hub
    let id = try await client.qualified(RepoID(repository))
    let release = Release(
      build: build,
      publication: pushing.publication(
        to: id, client, title: "Merge with hubmerge (\(build.recipe.method))", state: hub.state),
      workspace: hub.state.appending("releases"), template: try setup.template())
    let report = ReleaseReport(
      result: try await release.run(), repository: id, address: hub.address)
    try report.push.tellWorkflow()
    return report
  }
}

struct ReleaseReport: Report, Sendable {
  let result: Release.Result
  let repository: RepoID
  let address: String

  var push: PushReport {
    PushReport(repository: repository, address: address, result: result.publication)
  }

  var text: String {
    let merged = result.build.map { MergeReport(plan: result.plan, result: $0).text }
    return [merged ?? "merged  before, by a run that was broken off", push.text]
      .joined(separator: "\n")
  }

  var json: JSON {
    let merge = result.build.map { MergeReport(plan: result.plan, result: $0).json } ?? .null
    return .object([.init("merge", merge), .init("push", push.json)])
  }

  var essence: String { push.url }
}
