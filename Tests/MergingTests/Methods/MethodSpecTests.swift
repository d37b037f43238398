// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing

@Suite("Merge methods")
struct MethodSpecTests {
  @Test("Every method and parameter is described, once")
  func described() {
    let specs = MergeMethods.all.map { $0.spec }
    #expect(Set(specs.map(\.id)).count == specs.count)
    #expect(Set(specs.map(\.title)).count == specs.count)
    for spec in specs {
      #expect(MergeMethods.method(spec.id)?.spec.id == spec.id)
      #expect(spec.summary.hasSuffix(".") && !spec.summary.contains("\n"), "\(spec.id)")
      #expect(spec.summary.split(separator: ". ").count <= 4, "\(spec.id)")
      #expect(Set(spec.parameters.map(\.name)).count == spec.parameters.count, "\(spec.id)")
      for parameter in spec.parameters {
        #expect(
          !parameter.summary.isEmpty && !parameter.summary.hasSuffix("."), "\(parameter.name)")
      }
    }
  }

  @Test("Every default is a value that its parameter takes")
  func defaults() {
    for parameter in MergeMethods.all.flatMap({ $0.spec.parameters }) {
      guard let value = parameter.defaultValue else { continue }
      #expect(value.converted(to: parameter.kind) == value, "\(parameter.name)")
      if let range = parameter.range, case .double(let number) = value {
        #expect(range.contains(number), "\(parameter.name)")
      }
    }
  }

  @Test("A choice takes true and false where they are among its names")
  func choices() {
    let kind = ParameterSpec.Kind.choice(["false", "true", "l1"])
    #expect(ParameterValue.bool(true).converted(to: kind) == "true")
    #expect(ParameterValue.string("no").converted(to: kind) == "false")
    #expect(ParameterValue.string("l1").converted(to: kind) == "l1")
    #expect(ParameterValue.string("l2").converted(to: kind) == nil)
    #expect(ParameterValue.bool(true).converted(to: .choice(["sum", "count"])) == nil)
  }

  @Test(
    "The result is the same bytes with one, two and three threads",
    arguments: MergeMethods.all.map { $0.spec.id })
  func threads(id: String) throws {
    let spec = try #require(MergeMethods.method(id)).spec
    let count = min(3, spec.models.upperBound)
    func values(_ scope: ParameterSpec.Scope) -> String {
      let chosen = ["density": "0.5", "select_topk": "0.5"]
      return spec.parameters.filter { $0.scope == scope }.compactMap { parameter in
        let value = chosen[parameter.name] ?? (parameter.isRequired ? "0.4" : nil)
        return value.map { "\(parameter.name): \($0)" }
      }.joined(separator: ", ")
    }
    let hasBase = spec.base == .required
    let trial = MethodTrial(
      method: id, hasBase: hasBase, shared: values(.method),
      models: Array(repeating: values(.model), count: count))
    let tensors = AwkwardTensors.chunked(models: count + (hasBase ? 1 : 0))
    let result = try trial.run(tensors)
    #expect(try trial.run(tensors, threads: 2) == result)
    #expect(try trial.run(tensors, threads: 3) == result)
  }
}
