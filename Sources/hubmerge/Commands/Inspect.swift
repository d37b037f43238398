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
      Reads headers, configuration and tokenizer only: weights on the hub are not downloaded. Tells parameters by \
      dtype and by module, stacks of layers, the vocabulary, whether the output head is the embedding, the files \
      and the licence.
      """)

  @Argument(help: ArgumentHelp("A folder, or an id on the hub.", valueName: "model"))
  var model: String

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let source = HubModelSource(
      hub: try hub.client(console, observe: console.showTransfer), cache: hub.cache)
    let found = try await source.model(try ModelReference(argument: model))
    let readme = try? found.files.read("README.md")
    let card = readme.flatMap { try? ModelCard(parsing: String(decoding: $0, as: UTF8.self)) }
    let tokenizer = try? Tokenizer(found.files)
    return InspectReport(
      name: model, commit: found.commit, inspection: ModelInspection(found.checkpoint),
      license: card?.metadata["license"]?.string, tokenizer: tokenizer,
      hasTemplate: ChatTemplate(found.files, config: tokenizer?.config) != nil,
      files: found.files.names.map(\.string).filter { !$0.hasPrefix(".") })
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
  /// Nil if there is none that can be read.
  let tokenizer: Tokenizer?
  let hasTemplate: Bool
  /// Of the folder, or of the hub's repository as far as they are fetched without the weights.
  let files: [String]

  var text: String {
    var lines = ["model    \(name)" + (commit.map { " @ \($0.prefix(12))" } ?? "")]
    if !inspection.architectures.isEmpty {
      lines.append("class    " + inspection.architectures.joined(separator: ", "))
    }
    if let license { lines.append("licence  \(license)") }
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
      lines.append("rows     \(rows) of the embedding" + (stated ?? ""))
      lines.append("head     \(inspection.head.rawValue)")
    }
    lines += tokenizerLines
    let shards = inspection.shards
    if let first = shards.first {
      lines.append(
        "weights  \(first.name)" + (shards.count > 1 ? " and \(shards.count - 1) more" : ""))
    }
    if !others.isEmpty { lines.append("files    " + others.joined(separator: ", ")) }
    var table = TextTable()
    for module in inspection.modules {
      table.add(
        "module   \(module.name)", "\(Quantity.count(module.parameterCount)) parameters",
        Quantity.bytes(module.byteCount))
    }
    return (lines + table.lines).joined(separator: "\n")
  }

  private var tokenizerLines: [String] {
    guard let tokenizer else { return [] }
    let vocabulary = tokenizer.vocabulary
    var line = "tokens   \(vocabulary.end) in \(tokenizer.source) (\(vocabulary.kind.rawValue))"
    if !vocabulary.added.isEmpty { line += ", \(vocabulary.added.count) of them added" }
    let roles = Tokenizer.Role.allCases.compactMap { role in
      tokenizer.token(for: role).map { "\(role.rawValue) \($0)" }
    }
    return [line] + (roles.isEmpty ? [] : ["roles    " + roles.joined(separator: ", ")])
      + ["chat     " + (hasTemplate ? "has a template" : "no template")]
  }

  private var others: [String] {
    let weights = Set(inspection.shards.map(\.name))
    return files.filter { !weights.contains($0) }
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
      "tokenizer": tokenizer.map(json), "chat_template": .bool(hasTemplate),
      "modules": .array(inspection.modules.map(json)),
      "files": .array(
        inspection.shards.map {
          .object([.init("name", .string($0.name)), .init("bytes", .int($0.size))])
        }), "other_files": .array(others.map(JSON.string)),
    ])
  }

  private func json(_ tokenizer: Tokenizer) -> JSON {
    .object([
      "file": .string(tokenizer.source), "kind": .string(tokenizer.vocabulary.kind.rawValue),
      "tokens": .int(tokenizer.vocabulary.end), "added": .int(tokenizer.vocabulary.added.count),
      "roles": .object(
        Tokenizer.Role.allCases.compactMap { role in
          tokenizer.token(for: role).map { JSON.Member(role.rawValue, .string($0)) }
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
