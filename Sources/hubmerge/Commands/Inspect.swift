// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import Weights

/// `hubmerge inspect`: what a model is, from its headers.
struct Inspect: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a model is made of.",
    discussion: """
      Reads headers and config.json only: weights on the hub are not downloaded. Tells parameters by dtype and \
      by module, stacks of layers, the vocabulary, and whether the output head is the embedding.
      """)

  @Argument(help: ArgumentHelp("A folder, or an id on the hub.", valueName: "model"))
  var model: String

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let source = HubModelSource(
      hub: try hub.client(console, observe: console.showTransfer), cache: hub.cache)
    let found = try await source.model(try ModelReference(argument: model))
    let readme = try? FileSystem.read(found.checkpoint.folder.appending("README.md"))
    let card = readme.flatMap { try? ModelCard(parsing: String(decoding: $0, as: UTF8.self)) }
    return InspectReport(
      name: model, commit: found.commit, inspection: ModelInspection(found.checkpoint),
      license: card?.metadata["license"]?.string)
  }
}

extension ModelReference {
  /// A model named on the command line.
  init(argument: String) throws {
    do throws(Malformed) {
      try self.init(parsing: argument)
    } catch {
      throw UserError(
        status: .usage, what: "\"\(argument)\" names no model", why: error.reason,
        advice: "name a folder, or an id like namespace/name")
    }
  }
}

struct InspectReport: Report, Sendable {
  let name: String
  let commit: String?
  let inspection: ModelInspection
  let license: String?

  var text: String {
    var lines = ["model    \(name)" + (commit.map { " @ \($0.prefix(12))" } ?? "")]
    if !inspection.architectures.isEmpty {
      lines.append("class    " + inspection.architectures.joined(separator: ", "))
    }
    lines.append(
      "size     \(Quantity.count(inspection.parameterCount)) parameters in "
        + "\(inspection.tensorCount) tensors, \(Quantity.bytes(inspection.byteCount)), "
        + Quantity.plural(inspection.shards.count, "file"))
    lines += inspection.dtypes.map { "dtype    \($0.name): \(amount($0))" }
    for stack in inspection.stacks {
      lines.append(
        "layers   \(stack.prefix): \(stack.layerCount), \(Quantity.bytes(stack.byteCount))"
          + (stack.kindCount > 1 ? ", \(stack.kindCount) kinds" : "")
          + (stack.isMain && inspection.stacks.count > 1 ? " (sliced)" : ""))
    }
    if let rows = inspection.embeddingRows {
      let stated = inspection.vocabularySize.map { $0 == rows ? "" : ", config.json says \($0)" }
      lines.append("tokens   \(rows)" + (stated ?? ""))
      lines.append("head     \(inspection.head.rawValue)")
    }
    if let license { lines.append("licence  \(license)") }
    lines += inspection.modules.map { "module   \($0.name): \(amount($0))" }
    return lines.joined(separator: "\n")
  }

  private func amount(_ group: ModelInspection.Group) -> String {
    "\(Quantity.count(group.parameterCount)) parameters, \(Quantity.bytes(group.byteCount))"
  }

  var json: JSON {
    .object([
      "model": .string(name), "commit": commit.map { .string($0) },
      "architectures": .array(inspection.architectures.map { .string($0) }),
      "model_type": inspection.modelType.map { .string($0) },
      "parameters": .int(inspection.parameterCount), "bytes": .int(inspection.byteCount),
      "tensors": .int(inspection.tensorCount),
      "dtypes": .array(inspection.dtypes.map(json)),
      "stacks": .array(inspection.stacks.map(json)),
      "vocabulary": inspection.embeddingRows.map { .int($0) },
      "vocab_size": inspection.vocabularySize.map { .int($0) },
      "head": .string("\(inspection.head)"), "license": license.map { .string($0) },
      "modules": .array(inspection.modules.map(json)),
      "files": .array(
        inspection.shards.map {
          .object([.init("name", .string($0.name)), .init("bytes", .int($0.size))])
        }),
    ])
  }

  private func json(_ group: ModelInspection.Group) -> JSON {
    .object([
      "name": .string(group.name), "tensors": .int(group.tensorCount),
      "parameters": .int(group.parameterCount), "bytes": .int(group.byteCount),
    ])
  }

  private func json(_ stack: ModelInspection.Stack) -> JSON {
    .object([
      "prefix": .string(stack.prefix), "layers": .int(stack.layerCount),
      "bytes": .int(stack.byteCount), "kinds": .int(stack.kindCount), "main": .bool(stack.isMain),
    ])
  }

  var essence: String { "\(inspection.parameterCount)" }
}
