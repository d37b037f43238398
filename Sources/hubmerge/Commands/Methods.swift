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

  @Flag(help: "Print the page of documentation about all of them.")
  var markdown = false

  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    if markdown { return MethodPageReport() }
    guard let method else {
      return MethodListReport(methods: MergeMethods.all.map { MethodDescription($0.spec) })
    }
    guard let type = MergeMethods.method(method) else {
      let meant = Suggestion.closest(to: method, among: MergeMethods.all.map { $0.spec.id })
      throw UserError(
        status: .usage, what: "there is no merge method \(method)",
        advice: meant.map { "did you mean \($0)?" } ?? "hubmerge methods lists them")
    }
    return MethodReport(method: MethodDescription(type.spec))
  }
}

struct MethodListReport: Report, Sendable {
  let methods: [MethodDescription]

  var text: String {
    let rows = methods.map { [$0.spec.id, $0.models, $0.base, $0.paper ?? "", $0.firstSentence] }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return (cells + [row[4]]).joined(separator: "  ")
    }.joined(separator: "\n")
  }

  var json: JSON { .array(methods.map { MethodReport(method: $0).json }) }
  var essence: String { methods.map(\.spec.id).joined(separator: "\n") }
}

struct MethodPageReport: Report, Sendable {
  /// Without the line's end that the console adds.
  var text: String { String(MethodPage.markdown.dropLast()) }
  var json: JSON { .object([.init("markdown", .string(MethodPage.markdown))]) }
  var essence: String { text }
}

struct MethodReport: Report, Sendable {
  let method: MethodDescription

  var text: String { method.text }

  var json: JSON {
    let spec = method.spec
    return .object([
      .init("id", .string(spec.id)), .init("title", .string(spec.title)),
      .init("summary", .string(spec.summary)), .init("models", .string(method.models)),
      .init("base", .string(method.base)),
      .init(
        "paper",
        spec.paper.map {
          .object([.init("title", .string($0.title)), .init("url", .string($0.url))])
        } ?? .null),
      .init("parameters", .array(spec.parameters.map(parameter))),
      .init("recipe", .string(method.recipe)),
      .init("random", .bool(spec.isRandom)),
      .init("needs_whole_matrices", .bool(spec.needsWholeMatrices)),
      .init("unlike_mergekit", spec.differences.map(JSON.string) ?? .null),
      .init("unlike_paper", spec.deviations.map(JSON.string) ?? .null),
    ])
  }

  private func parameter(_ parameter: ParameterSpec) -> JSON {
    .object([
      .init("name", .string(parameter.name)),
      .init("kind", .string(parameter.kind.description)),
      .init("range", parameter.range.map { .string($0.text) } ?? .null),
      .init("scope", .string(parameter.scope == .model ? "model" : "method")),
      .init("required", .bool(parameter.isRequired)),
      .init("default", parameter.defaultValue.map { .string($0.description) } ?? .null),
      .init("summary", .string(parameter.summary)),
    ])
  }

  var essence: String { method.spec.id }
}
