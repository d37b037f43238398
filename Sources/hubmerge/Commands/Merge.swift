// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import Weights

/// `hubmerge merge`: a model folder from a recipe.
struct Merge: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Merge the models of a recipe into a folder.",
    discussion: """
      Models in the recipe are folders or ids on the hub; the latter are fetched when they are not in the \
      cache. The folder appears when it is complete. Interrupted, the same command goes on after the last \
      finished shard.
      """)

  @Argument(
    help: ArgumentHelp("The recipe, a YAML file.", valueName: "recipe"), completion: .file())
  var recipe: String

  @Argument(
    help: ArgumentHelp("The folder to make.", valueName: "out"), completion: .directory)
  var out: String

  @Flag(help: "Replace the folder if it exists.")
  var overwrite = false

  @OptionGroup var stream: StreamOptions
  @OptionGroup var options: MergeOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let setup = MergeSetup(options, hub, console)
    let target = FilePath(out)
    try setup.checkTarget(target, replacing: overwrite)
    let build = try setup.build(recipe, stream: stream.reader(hub.state))
    let plan = try await build.plan()
    try await build.fetchWeights(plan)
    let result = try await build.write(
      plan, to: target, replacing: overwrite, repository: nil,
      template: options.writeModelCard ? try setup.template() : nil)
    return MergeReport(plan: plan, result: result)
  }
}

struct MergeReport: Report, Sendable {
  let plan: MergePlan
  let result: ModelBuild.Result

  var text: String {
    var lines = plan.models.map { model in
      "source  \(model.name)"
        + (model.source.commit.map { " @ \($0.prefix(12))" } ?? "")
        + (model.isBase ? " (base)" : "")
    }
    let facts = [
      "\(Quantity.count(plan.parameterCount)) parameters",
      Quantity.plural(plan.layout.shards.count, "shard"),
      "\(Quantity.bytes(result.bytesWritten)) in \(Quantity.duration(result.seconds))",
    ]
    lines.append("merged  \(result.folder): " + facts.joined(separator: ", "))
    if let bytes = result.bytesStreamed {
      lines.append("stream  \(Quantity.bytes(bytes)) read off the hub, no digests to check")
    }
    lines.append(
      "speed   \(Quantity.rate(result.throughput)) read and written, "
        + "peak memory \(Quantity.bytes(ProcessMemory.peak))")
    return lines.joined(separator: "\n")
  }

  var json: JSON {
    .object([
      .init("folder", .string(result.folder.string)),
      .init("method", .string(plan.method.spec.id)),
      .init("sources", .array(plan.models.map(\.json))),
      .init("parameters", .int(plan.parameterCount)),
      .init("shards", .array(plan.layout.shards.map { .string($0.name) })),
      .init("bytes_read", .int(result.bytesRead)),
      .init("bytes_written", .int(result.bytesWritten)),
      .init("bytes_streamed", result.bytesStreamed.map { .int($0) } ?? .null),
      .init("seconds", .double(result.seconds)),
      .init("peak_memory", .int(ProcessMemory.peak)),
      .init("seed", .number(String(plan.seed))),
    ])
  }

  var essence: String { result.folder.string }
}

extension MergePlan.Model {
  var json: JSON {
    .object([
      "model": .string(name), "hub_id": source.hubID.map { .string($0) },
      "commit": source.commit.map { .string($0) }, "base": .bool(isBase),
    ])
  }
}
