// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Scaling by depth (LiNeS)")
struct DepthScalingTests {
  /// The models that a recipe of one of the task-vector methods needs.
  private static let methods = MergeMethods.all.map { $0.spec }.filter {
    $0.parameter("lines_beta") != nil
  }

  @Test("Every method that scales a task vector can scale it by depth")
  func everywhere() {
    for spec in MergeMethods.all.map({ $0.spec }) {
      #expect(
        (spec.parameter("lambda") == nil) == (spec.parameter("lines_alpha") == nil), "\(spec.id)")
      #expect(
        (spec.parameter("lambda") == nil) == (spec.parameter("lines_beta") == nil), "\(spec.id)")
    }
    #expect(Self.methods.count > 12)
  }

  private static func merged(_ bench: TinyBench, _ parameters: String, body: String? = nil)
    async throws -> [TensorName: GoldenTensor]
  {
    let models = "models: [{model: base}, {model: tuned, parameters: {weight: 1}}]"
    return try await bench.merge(
      "merge_method: task_arithmetic\nbase_model: base\nparameters: {\(parameters)}\n"
        + (body ?? models))
  }

  @Test("The first layer and all that is outside counts alpha, the last alpha and beta")
  func rule() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("base", TinyModel(layers: 5, 1))
      try bench.add("tuned", TinyModel(layers: 5, 2))
      let result = try await Self.merged(bench, "lambda: 0.5, lines_alpha: 0.5, lines_beta: 1")
      let base = try GoldenTensor.tensors(at: folder.appending("base"))
      for (name, tensor) in result {
        let layer = LayeredName(name)?.layer ?? 0
        let factor = 0.5 * (0.5 + Double(layer) / 4)
        for element in 0..<tensor.count {
          #expect(tensor.value(element) == (base[name]?.value(element) ?? 0) + factor, "\(name)")
        }
      }
    }
  }

  @Test("In a stack of slices it is the depth in the output that counts")
  func slices() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("base", TinyModel(layers: 2, 1))
      try bench.add("tuned", TinyModel(layers: 2, 2))
      func slice(_ first: Int, _ last: Int) -> String {
        "{sources: [{model: base, layer_range: [\(first), \(last)]}, "
          + "{model: tuned, layer_range: [\(first), \(last)], parameters: {weight: 1}}]}"
      }
      let result = try await Self.merged(
        bench, "lines_alpha: 0, lines_beta: 1", body: "slices: [\(slice(0, 2)), \(slice(1, 2))]")
      for layer in 0..<3 {
        let name: TensorName = "model.layers.\(layer).mlp.up.weight"
        let start = 1 + 8 * Double(min(layer, 1))
        #expect(try #require(result[name]).value(0) == start + Double(layer) / 2)
      }
    }
  }

  @Test("It is what a gradient of lambda is", arguments: methods.map(\.id))
  func gradient(id: String) async throws {
    let spec = try #require(MergeMethods.method(id)).spec
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      for number in 0..<4 {
        try bench.add("m\(number)", TinyModel(layers: 3, 1 + Double(number * number) / 8))
      }
      let models = (1...3).map { "{model: m\($0)}" }.joined(separator: ", ")
      let head =
        "merge_method: \(id)\n" + (spec.base == .required ? "base_model: m0\n" : "")
        + "models: [\(models)]\nparameters: {"
        + (spec.parameter("weight") == nil ? "" : "weight: 0.5, ")
      let scaled = try await bench.merge(head + "lambda: 2, lines_alpha: 0.25, lines_beta: 0.5}")
      let graded = try await bench.merge(head + "lambda: [0.5, 1.5]}")
      for (name, tensor) in scaled {
        #expect(tensor.bytes == graded[name]?.bytes, "\(name)")
      }
    }
  }
}
