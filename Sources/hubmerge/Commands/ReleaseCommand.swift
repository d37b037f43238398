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
      One job: broken off at any point, the same command goes on where it was. Each shard is sent as soon as it \
      is done, while the next ones are merged; one commit at the end makes everything visible. Work in progress \
      is kept beside the cache until then.

      With --stream models larger than the disk are merged: tensors are read over the network where they are \
      needed, and shards removed when the hub has them.
      """)

  @Argument(
    help: ArgumentHelp("The recipe, a YAML file.", valueName: "recipe"), completion: .file())
  var recipe: String

  @Argument(help: ArgumentHelp("The repository, namespace/name.", valueName: "repo"))
  var repository: String

  @OptionGroup var stream: StreamOptions

  @Option(
    help: ArgumentHelp(
      "With --stream: the most bytes of disk to take, such as 12G (default: what is free).",
      valueName: "size"))
  var disk: SizeArgument?

  @Option(
    help: ArgumentHelp(
      "The most bytes of memory, such as 4G; fewer threads are used if need be.", valueName: "size")
  )
  var memory: SizeArgument?

  @OptionGroup var options: MergeOptions
  @OptionGroup var pushing: PushOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if disk != nil, !stream.stream { throw ValidationError("--disk is for --stream.") }
  }

  private var limits: Release.Limits {
    var limits = Release.Limits()
    limits.isStreaming = stream.stream
    limits.disk = disk?.bytes
    limits.memory = memory?.bytes
    return limits
  }

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let setup = MergeSetup(options, hub, console, isRelease: true)
    let limits = limits
    let build = try setup.build(
      recipe,
      stream: stream.reader(
        hub.state, memory: limits.readAhead, disk: limits.spool(at: hub.state)))
    let client = build.source.hub
    let id = try await client.qualified(RepoID(repository))
    let release = Release(
      build: build,
      publication: pushing.publication(
        to: id, client, title: "Merge with hubmerge (\(build.recipe.method))", state: hub.state),
      workspace: hub.state.appending("releases"), template: try setup.template(),
      limits: limits)
    if pushing.dryRun {
      return ReleaseForecastReport(forecast: try await release.forecast(), repository: id)
    }
    let report = ReleaseReport(
      result: try await release.run(), repository: id, address: hub.address)
    try report.push.tellWorkflow()
    return report
  }
}
