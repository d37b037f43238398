// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Merging
internal import Publishing
internal import Weights

/// `hubmerge plan`: everything a merge would do.
struct Plan: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a merge would do, and everything that is wrong with its recipe.",
    discussion: """
      Reads headers, configurations and tokenizers only: models on the hub are not downloaded. --json lists \
      every tensor with its inputs, parameters and place in the output.
      """)

  @Argument(
    help: ArgumentHelp("The recipe, a YAML file.", valueName: "recipe"), completion: .file())
  var recipe: String

  @OptionGroup var options: MergeOptions
  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let build = try MergeSetup(options, hub, console).build(recipe)
    return PlanReport(plan: try await build.plan(), threads: options.threadCount)
  }
}

struct PlanReport: Report, Sendable {
  let plan: MergePlan
  let threads: Int

  var text: String {
    var lines = plan.stages.map { stage in
      "stage    \(stage.name): \(stage.plan.method.spec.title) of "
        + stage.plan.models.map(\.name).joined(separator: ", ")
        + ", \(Quantity.bytes(stage.plan.layout.fileSize)) for the time of the merge"
    }
    lines.append("method   \(plan.method.spec.title) (\(plan.method.spec.id))")
    for model in plan.models {
      lines.append(
        "source   \(model.name)"
          + (model.source.commit.map { " @ \($0.prefix(12))" } ?? "")
          + ", \(Quantity.count(model.checkpoint.parameterCount)) parameters"
          + (model.isBase ? " (base)" : ""))
      if case .models(let sources) = plan.recipe.body,
        let source = sources.first(where: { $0.model == model.source.reference })
      {
        lines += source.parameters.lines
      }
    }
    for entry in plan.recipe.parameters.entries {
      lines.append("setting  \(entry.name) = \(entry.setting.text)")
    }
    lines += layerLines
    let copies = plan.steps.count { if case .copy = $0.action { true } else { false } }
    lines.append(
      "tensors  \(plan.steps.count), \(Quantity.count(plan.parameterCount)) parameters, "
        + (plan.mainDType?.torchName ?? "") + (copies > 0 ? ", \(copies) copied" : ""))
    if let vocabulary = plan.vocabulary {
      lines.append("tokens   \(vocabulary.summary)")
      for (label, text) in vocabulary.details {
        lines.append(label + String(repeating: " ", count: 9 - label.count) + text)
      }
    }
    for reason in UnusedTensor.Reason.allCases {
      let count = plan.unused.count { $0.reason == reason }
      if count > 0 {
        lines.append("unused   \(Quantity.plural(count, "tensor")): \(reason.rawValue)")
      }
    }
    lines.append(
      "output   \(Quantity.plural(plan.layout.shards.count, "shard")), "
        + "\(Quantity.bytes(plan.layout.fileSize)), "
        + "\(Quantity.plural(plan.files.count + plan.writtenFiles.count, "other file")) of "
        + plan.models[plan.donor].name)
    lines.append(
      "needs    \(Quantity.bytes(plan.inputBytes)) read, "
        + "\(Quantity.bytes(plan.layout.fileSize + stageBytes)) of disk, about "
        + "\(Quantity.bytes(plan.estimatedMemory(threads: threads))) of memory with "
        + Quantity.plural(threads, "thread"))
    if plan.method.spec.needsWholeMatrices {
      lines.append(
        "memory   \(plan.method.spec.id) needs whole matrices in memory, one for each thread; its last digits may "
          + "differ between kinds of processors")
    }
    if plan.method.spec.isRandom { lines.append("seed     \(plan.seed)") }
    return lines.joined(separator: "\n")
  }

  /// Bytes of the stages' results.
  private var stageBytes: Int { plan.stages.reduce(0) { $0 + $1.plan.layout.fileSize } }

  /// A line for each slice, with the parameters that are its own below it.
  private var layerLines: [String] {
    var slices: [Recipe.Slice] = []
    if case .slices(let all) = plan.recipe.body, all.count == plan.layers.count { slices = all }
    var lines: [String] = []
    for (index, run) in plan.layers.enumerated() {
      let sources = run.sources.map { "\($0.layers.text) of \(plan.models[$0.model].name)" }
      lines.append("layers   \(run.output.text) from " + sources.joined(separator: ", "))
      guard slices.indices.contains(index) else { continue }
      lines += slices[index].parameters.lines
      for source in slices[index].sources where !source.parameters.entries.isEmpty {
        lines += source.parameters.lines.map { $0 + " for \(source.model)" }
      }
    }
    return lines
  }

  var json: JSON {
    .object([
      .init("method", .string(plan.method.spec.id)),
      .init("sources", .array(plan.models.map(\.json))),
      .init("seed", .number(String(plan.seed))),
      .init("parameters", .int(plan.parameterCount)),
      .init("bytes_read", .int(plan.inputBytes)),
      .init("bytes_written", .int(plan.layout.fileSize)),
      .init("memory", .int(plan.estimatedMemory(threads: threads))),
      .init(
        "shards",
        .array(
          plan.layout.shards.map {
            .object([.init("name", .string($0.name)), .init("bytes", .int($0.size))])
          })),
      .init(
        "files", .array((plan.files.map(\.name) + plan.writtenFiles.map(\.name)).map(JSON.string))),
      .init("vocabulary", plan.vocabulary?.json ?? .null),
      .init(
        "stages",
        .array(
          plan.stages.map { stage in
            .object([
              .init("name", .string(stage.name)),
              .init("plan", PlanReport(plan: stage.plan, threads: threads).json),
            ])
          })),
      .init("tensors", .array(plan.steps.indices.map(tensor))),
      .init("unused", .array(plan.unused.map(unused))),
      .init("warnings", .array(plan.warnings.map { .string($0.message) })),
    ])
  }

  var essence: String { "\(plan.steps.count) tensors, \(plan.layout.fileSize) bytes" }

  private func unused(_ tensor: UnusedTensor) -> JSON {
    .object([
      .init("model", .string(plan.models[tensor.model].name)),
      .init("tensor", .string(tensor.name.text)),
      .init("reason", .string(tensor.reason.rawValue)),
    ])
  }

  private func tensor(_ index: Int) -> JSON {
    let step = plan.steps[index]
    let place = plan.layout.places[index]
    let inputs = step.inputs.enumerated().map { position, input in
      JSON.object([
        .init("model", .string(plan.models[input.model].name)),
        .init("tensor", .string(input.tensor.info.name.text)),
        .init("dtype", .string(input.tensor.info.dtype.rawValue)),
        .init("parameters", parameters(step.parameters.inputs.dropFirst(position).first ?? [:])),
      ])
    }
    return .object([
      .init("name", .string(step.output.name.text)),
      .init("dtype", .string(step.output.dtype.rawValue)),
      .init("shape", .array(step.output.shape.map(JSON.int))),
      .init("shard", .string(plan.layout.shards[place.shard].name)),
      .init("range", .array([.int(place.range.lowerBound), .int(place.range.upperBound)])),
      .init("action", .string(step.isCopy ? "copy" : plan.method.spec.id)),
      .init("parameters", parameters(step.parameters.shared)),
      .init("inputs", .array(inputs)),
    ])
  }

  private func parameters(_ values: [String: ParameterValue]) -> JSON {
    .object(
      values.sorted { $0.key < $1.key }.map { name, value in
        let json: JSON =
          switch value {
          case .bool(let value): .bool(value)
          case .int(let value): .int(value)
          case .double(let value): .double(value)
          case .string(let value): .string(value)
          }
        return JSON.Member(name, json)
      })
  }
}

extension ParameterTable {
  /// A line for each setting, below the line of what it is for.
  fileprivate var lines: [String] {
    entries.map { "         \($0.name) = \($0.setting.text)" }
  }
}
