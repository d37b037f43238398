// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing
import Weights

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
    "The result is the same bytes with one thread and with three",
    arguments: MergeMethods.all.map { $0.spec.id })
  func threads(id: String) throws {
    let spec = try #require(MergeMethods.method(id)).spec
    let trial = MethodTrial.plain(spec)
    let tensors = AwkwardTensors.chunked(models: trial.modelCount)
    let result = try trial.run(tensors)
    #expect(try trial.run(tensors, threads: 3) == result)
  }

  @Test(
    "Models that are equal stay what they are, and awkward ones give numbers",
    arguments: MergeMethods.all.map { $0.spec.id })
  func sanity(id: String) throws {
    let trial = MethodTrial.plain(try #require(MergeMethods.method(id)).spec)
    let tensors = AwkwardTensors.matrices(models: trial.modelCount)
    let result = try trial.run(tensors)
    for tensor in tensors {
      let values = try #require(result[tensor.name])
      #expect(values.count == tensor.models[0].count && values.allSatisfy(\.isFinite))
      guard tensor.models.allSatisfy({ $0 == tensor.models[0] }) else { continue }
      for (got, want) in zip(values, tensor.models[0]) {
        #expect(abs(got - want) <= 1e-6 * abs(want))
      }
    }
  }

  @Test(
    "What is not finite in a model stays where it is, or is an error that names the tensor",
    arguments: MergeMethods.all.map { $0.spec.id }, [Double.nan, .infinity])
  func notFinite(id: String, value: Double) throws {
    let trial = MethodTrial.plain(try #require(MergeMethods.method(id)).spec)
    for shape in [[700], [40, 50]] {
      var tensor = AwkwardTensors.random("spoilt", shape, models: trial.modelCount)
      tensor.models[trial.modelCount - 1][123] = value
      do {
        let result = try #require(try trial.run([tensor], threads: 2)["spoilt"])
        #expect(result.indices.filter { !result[$0].isFinite }.allSatisfy { $0 == 123 })
      } catch let error as MergeError {
        switch error {
        case .notFinite(let name, _, _, _, _), .unsolvable(let name, _, _):
          #expect(name == "spoilt")
        default: Issue.record(error)
        }
      }
    }
  }
}
