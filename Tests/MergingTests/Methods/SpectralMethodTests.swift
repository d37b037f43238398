// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import TestSupport
import Testing
import Weights

@Suite("Methods that work on whole matrices")
struct SpectralMethodTests {
  static let ids = MergeMethods.all.map { $0.spec }.filter(\.needsWholeMatrices).map(\.id)

  private static func trial(_ id: String) throws -> MethodTrial {
    MethodTrial.plain(try #require(MergeMethods.method(id)).spec)
  }

  @Test("A value that is not finite is an error that names the tensor", arguments: ids)
  func notFinite(id: String) throws {
    let trial = try Self.trial(id)
    var tensor = AwkwardTensors.random("spoilt", [12, 9], models: trial.modelCount)
    tensor.models[1][50] = .infinity
    do {
      _ = try trial.run([tensor])
      Issue.record("there was no error")
    } catch MergeError.unsolvable(let name, let error, let models) {
      #expect(name == "spoilt" && error == .notFinite && models.count == trial.modelCount)
    }
  }

  @Test("The plan counts the squares of a matrix's shorter side for each thread", arguments: ids)
  func memory(id: String) throws {
    let trial = try Self.trial(id)
    try withTemporaryFolder { folder in
      let tensor = AwkwardTensors.random("x", [300, 400], models: trial.modelCount)
      let plan = try trial.plan([tensor], in: folder)
      let (one, two) = (plan.estimatedMemory(threads: 1), plan.estimatedMemory(threads: 2))
      #expect(two - one >= 8 * 300 * 300 * 4)
      // Inputs and output, whole.
      #expect(two - one >= 8 * 300 * 300 * 4 + 4 * 300 * 400 * (trial.modelCount + 1))
    }
  }

  @Test("A matrix that LAPACK cannot take is refused in the plan", arguments: ids)
  func tooLarge(id: String) throws {
    let method = try #require(MergeMethods.method(id))
    func prepare(_ name: TensorName, _ shape: [Int]) throws(MethodFault) {
      var parameters = MethodParameters(inputs: [[:], [:], [:]])
      for parameter in method.spec.parameters {
        parameters.shared[parameter.name] = parameter.defaultValue
      }
      _ = try method.init(
        parameters,
        MergeTensor(
          name: name, shape: shape, models: ["a", "b", "c"],
          base: method.spec.base == .required ? 0 : nil))
    }
    try prepare("x.weight", [32_000, 1_000_000])
    #expect(throws: MethodFault.self) { try prepare("x.weight", [32_001, 1_000_000]) }
    try prepare("model.embed_tokens.weight", [1_000_000, 32_001])
    try prepare("x.bias", [1 << 40])
  }

  @Test("A method computes the same in fp64 and in fp32", arguments: ids)
  func precision(id: String) throws {
    var trial = try Self.trial(id)
    let tensors = [[40, 30], [7, 300], [300, 7]].map {
      AwkwardTensors.random("x\($0[0])", $0, models: trial.modelCount)
    }
    let single = try trial.run(tensors)
    trial.dtype = .f64
    for (name, values) in try trial.run(tensors) {
      for (exact, rounded) in zip(values, single[name] ?? []) {
        #expect(Double(Float(exact)) == rounded)
      }
    }
  }
}
