// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Merging

/// `hubmerge methods`: what can be written after `merge_method:`.
struct Methods: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the merge methods, or explain one.")

  @Argument(
    help: ArgumentHelp("A method to explain.", valueName: "method"),
    completion: .list(MergeMethods.all.map { $0.spec.id }))
  var method: String?

  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    guard let method else { return MethodListReport(methods: MergeMethods.all.map { $0.spec }) }
    guard let type = MergeMethods.method(method) else {
      throw UserError(
        status: .usage, what: "there is no merge method \(method)",
        advice: "hubmerge methods lists them")
    }
    return MethodReport(spec: type.spec)
  }
}

struct MethodListReport: Report, Sendable {
  let methods: [MethodSpec]

  var text: String {
    let width = methods.map(\.id.count).max() ?? 0
    return methods.map { spec in
      let padding = String(repeating: " ", count: width - spec.id.count)
      return "\(spec.id)\(padding)  \(spec.baseText)  \(spec.firstSentence)"
    }.joined(separator: "\n")
  }

  var json: JSON { .array(methods.map { MethodReport(spec: $0).json }) }
  var essence: String { methods.map(\.id).joined(separator: "\n") }
}

struct MethodReport: Report, Sendable {
  let spec: MethodSpec

  var text: String {
    var lines = [
      "\(spec.title) (\(spec.id))", "", spec.summary, "", "models      \(spec.modelsText)",
    ]
    lines.append("base model  \(spec.baseText)")
    if let paper = spec.paper {
      lines += ["paper       \(paper.title)", "            \(paper.url)"]
    }
    if !spec.parameters.isEmpty { lines += ["", "parameters"] }
    for parameter in spec.parameters {
      let range = parameter.range.map { ", \($0.lowerBound) to \($0.upperBound)" } ?? ""
      let value = parameter.defaultValue.map { "default \($0)" }
      let need = value ?? (parameter.isOptional ? "optional" : "required")
      let scope = parameter.scope == .model ? "for each model" : "for the method"
      lines.append("  \(parameter.name): \(parameter.summary)")
      lines.append("      \(parameter.kind.description)\(range); \(scope); \(need)")
    }
    if let differences = spec.differences { lines += ["", "unlike mergekit: \(differences)"] }
    return lines.joined(separator: "\n")
  }

  var json: JSON {
    .object([
      .init("id", .string(spec.id)), .init("title", .string(spec.title)),
      .init("summary", .string(spec.summary)), .init("base", .string(spec.baseText)),
      .init(
        "paper",
        spec.paper.map {
          .object([.init("title", .string($0.title)), .init("url", .string($0.url))])
        } ?? .null),
      .init(
        "parameters",
        .array(
          spec.parameters.map { parameter in
            .object([
              .init("name", .string(parameter.name)),
              .init("scope", .string(parameter.scope == .model ? "model" : "method")),
              .init("required", .bool(parameter.isRequired)),
              .init("default", parameter.defaultValue.map { .string($0.description) } ?? .null),
              .init("summary", .string(parameter.summary)),
            ])
          })),
    ])
  }

  var essence: String { spec.id }
}

extension MethodSpec {
  var baseText: String {
    switch base {
    case .required: "needed"
    case .optional: "optional"
    case .ordinary: "none"
    }
  }

  var modelsText: String {
    models.lowerBound == models.upperBound
      ? "exactly \(models.lowerBound)" : "\(models.lowerBound) or more"
  }

  var firstSentence: String {
    summary.firstIndex(of: ".").map { String(summary[...$0]) } ?? summary
  }
}
