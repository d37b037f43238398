// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

/// Every parameter of every method, with every kind of value that it does not take.
@Suite("Checks of parameters")
struct ParameterCheckTests {
  /// A value that is wrong, and what is said of it.
  private static func wrongValues(_ parameter: ParameterSpec) -> [(text: String, message: String)] {
    let name = parameter.name
    var wrong: [(String, String)] = []
    switch parameter.kind {
    case .number: wrong.append(("many", "\"\(name)\" is a number, not \"many\""))
    case .integer: wrong.append(("1.5", "\"\(name)\" is a whole number, not \"1.5\""))
    case .flag: wrong.append(("perhaps", "\"\(name)\" is true or false, not \"perhaps\""))
    case .choice(let names):
      let list = names.joined(separator: ", ")
      wrong.append(("perhaps", "\"\(name)\" is one of \(list), not \"perhaps\""))
    }
    guard let range = parameter.range else { return wrong }
    let isWhole = parameter.kind == .integer
    for bound in [range.lowerBound - 1, range.upperBound + 1] where bound.isFinite {
      let value = isWhole ? "\(Int(bound))" : "\(bound)"
      let (low, high) = (Int(range.lowerBound), range.upperBound)
      let text = "\(low)..." + (high.isFinite ? "\(Int(high))" : "")
      wrong.append((value, "\"\(name)\" \(value) is outside \(text)"))
    }
    return wrong
  }

  /// A recipe that is right but for one parameter, which stands in line 3.
  private static func recipe(_ spec: MethodSpec, without left: String, line: String) -> String {
    let hasBase = spec.base == .required
    let count = min(3, spec.models.upperBound)
    let names = ["a", "b", "base", "c"].filter { !hasBase || $0 != "base" }.prefix(count)
    let models = names.map { "{model: \($0)}" }.joined(separator: ", ")
    var lines = ["merge_method: \(spec.id)", "parameters:", line]
    for parameter in spec.parameters where parameter.isRequired && parameter.name != left {
      lines.append("  \(parameter.name): 0.5")
    }
    lines.append("models: [\(models)]")
    if hasBase { lines.append("base_model: base") }
    return lines.joined(separator: "\n")
  }

  @Test(
    "A value that a parameter does not take is told at its place",
    arguments: MergeMethods.all.map { $0.spec.id })
  func values(id: String) async throws {
    let spec = try #require(MergeMethods.method(id)).spec
    try await PlannerErrorTests.withModels { bench in
      try bench.add("c", TinyModel(3))
      for parameter in spec.parameters {
        for wrong in Self.wrongValues(parameter) {
          let line = "  \(parameter.name): \(wrong.text)"
          let recipe = Self.recipe(spec, without: parameter.name, line: line)
          let place = "3:\(parameter.name.count + 5) error: "
          let errors = try await bench.errors(recipe).map(\.line).filter { !$0.contains("warning") }
          #expect(Set(errors) == [place + wrong.message])
        }
      }
    }
  }

  @Test(
    "A parameter that is missing is told for each model that has none",
    arguments: MergeMethods.all.map { $0.spec.id })
  func missing(id: String) async throws {
    let spec = try #require(MergeMethods.method(id)).spec
    try await PlannerErrorTests.withModels { bench in
      try bench.add("c", TinyModel(3))
      for parameter in spec.parameters where parameter.isRequired {
        let recipe = Self.recipe(spec, without: parameter.name, line: "  # nothing")
        let errors = try await bench.errors(recipe)
        let count = parameter.scope == .method ? 1 : min(3, spec.models.upperBound)
        #expect(Set(errors.map(\.line)).count == count)
        for error in errors {
          #expect(error.message.hasPrefix("\(id) needs \"\(parameter.name)\""))
          #expect(error.line.first?.isNumber == true)
        }
      }
    }
  }

  @Test(
    "Too few models and too many, and a base that is missing, are told",
    arguments: MergeMethods.all.map { $0.spec.id })
  func models(id: String) async throws {
    let spec = try #require(MergeMethods.method(id)).spec
    try await PlannerErrorTests.withModels { bench in
      try bench.add("c", TinyModel(3))
      let names = ["a", "b", "c"]
      let parameters = spec.parameters.filter(\.isRequired).map { "\($0.name): 0.5" }
        .joined(separator: ", ")
      let base = spec.base == .required ? "base_model: base\n" : ""
      for count in 1...3 where !spec.models.contains(count) {
        let models = names.prefix(count).map { "{model: \($0)}" }.joined(separator: ", ")
        let lines = try await bench.errors(
          "merge_method: \(id)\n\(base)parameters: {\(parameters)}\nmodels: [\(models)]"
        ).map(\.line)
        #expect(
          lines.contains { $0.contains(" error: \(id) takes ") && $0.first?.isNumber == true })
      }
      guard spec.base == .required else { return }
      let lines = try await bench.errors(
        "merge_method: \(id)\nparameters: {\(parameters)}\nmodels: [{model: a}, {model: b}]"
      ).map(\.line)
      #expect(lines.contains("1:15 error: \(id) needs a base model"))
    }
  }

  static let conflicts: [(recipe: String, finding: String)] = [
    (
      "merge_method: della\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, density: 0.1}}]",
      "3:54 error: density 0.1 and epsilon 0.15 give probabilities outside 0...1"
    ),
    (
      "merge_method: cabs\nbase_model: base\nparameters: {weight: 1, m: 48}\nmodels: [{model: a}]",
      "3:28 error: m is a power of two up to 8192, not 48"
    ),
    (
      "merge_method: cabs\nbase_model: base\nparameters: {weight: 1, n: 65, m: 64}\nmodels: [{model: a}]",
      "3:28 error: 65 elements of a stretch of 64 cannot be kept"
    ),
  ]

  @Test("Values that do not go together are told at their place", arguments: conflicts)
  func conflict(recipe: String, finding: String) async throws {
    try await PlannerErrorTests.withModels { bench in
      let lines = try await bench.errors(recipe).map(\.line)
      #expect(Set(lines) == [finding])
    }
  }
}
