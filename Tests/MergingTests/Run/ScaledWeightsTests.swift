// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("Weights of eight bits with factors")
struct ScaledWeightsTests {
  /// 130 × 140 elements: four blocks, three of them cut short.
  static let shape = [130, 140]
  static let factors: [Double] = [0.5, 2, 3, 0.25]

  /// What an element is stored as, a number that eight bits hold.
  static func stored(_ element: Int) -> Double { Double(element % 31 - 15) }

  static func value(_ element: Int) -> Double {
    let (row, column) = element.quotientAndRemainder(dividingBy: shape[1])
    return stored(element) * factors[row / 128 * 2 + column / 128]
  }

  static var model: TinyModel {
    var model = TinyModel(
      .init("a.weight", shape, .f8E4M3, (0..<shape[0] * shape[1]).map(stored)),
      .init("a.weight_scale_inv", [2, 2], .f32, factors),
      .init("a.input_scale", [], .f32, [7]), .init("norm.weight", [2], .bf16, [1, 2]))
    model.config =
      "{\"architectures\":[\"T\"],\"quantization_config\":{\"quant_method\":\"fp8\"},"
      + "\"torch_dtype\":\"bfloat16\"}"
    return model
  }

  @Test("They are multiplied as they are read; the output is plain, and says so")
  func passesThrough() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", Self.model)
      let recipe = "merge_method: passthrough\nmodels: [{model: a}]"
      let plan = try await bench.plan(recipe)
      #expect(
        plan.config?.root.json
          == .object(["architectures": ["T"], "torch_dtype": "bfloat16"]))
      #expect(plan.unused.map(\.name) == ["a.input_scale"])
      #expect(plan.unused.map(\.reason) == [.quantization])
      #expect(plan.warnings.isEmpty)
      let result = try await bench.merge(recipe)
      #expect(Set(result.keys) == ["a.weight", "norm.weight"])
      #expect(result["a.weight"]?.info.dtype == .bf16)
      #expect(result["a.weight"]?.values == (0..<130 * 140).map(Self.value))
    }
  }

  @Test("They merge with plain weights, for any number of threads")
  func mergesWithPlain() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", Self.model)
      var plain = TinyModel(
        .init("a.weight", Self.shape, .bf16, (0..<130 * 140).map { Double($0 % 16) }),
        .init("norm.weight", [2], .bf16, [3, 4]))
      plain.config = "{\"architectures\":[\"T\"]}"
      try bench.add("b", plain)
      let recipe =
        "merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: b}, {model: a}]\n"
        + "out_dtype: float32"
      let result = try await bench.merge(recipe, threads: 3)
      #expect(
        result["a.weight"]?.values
          == (0..<130 * 140).map { (Double($0 % 16) + Self.value($0)) / 2 })
      #expect(result["norm.weight"]?.values == [2, 3])
    }
  }

  @Test("They are compared by what they stand for")
  func compares() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", Self.model)
      var plain = TinyModel(
        .init("a.weight", Self.shape, .bf16, (0..<130 * 140).map(Self.value)),
        .init("norm.weight", [2], .bf16, [1, 2]))
      plain.config = "{\"architectures\":[\"T\"]}"
      try bench.add("b", plain)
      let source = FolderSource(root: folder)
      let models = [
        try await source.model(ModelReference(path: "a")),
        try await source.model(ModelReference(path: "b")),
      ]
      let result = try ModelDifference(models[0], models[1], threads: 2)
      #expect(result.isEqual)
      #expect(result.total.count == 130 * 140 + 2)
    }
  }

  @Test("An inspection tells what they are stored as")
  func inspects() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", Self.model)
      let model = try await FolderSource(root: folder).model(ModelReference(path: "a"))
      let inspection = ModelInspection(model.checkpoint)
      #expect(inspection.dtypes.map(\.name) == ["float8_e4m3fn", "bfloat16"])
      // The factors count with the weights that they are for.
      #expect(inspection.dtypes.map(\.byteCount) == [130 * 140 + 4 * 4, 4])
      #expect(inspection.byteCount == 130 * 140 + 4 * 4 + 4)
    }
  }

  @Test("A configuration that still tells of a scheme is set right although the weights are plain")
  func stale() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      var model = TinyModel(.init("a.weight", [2, 2], .bf16, [1, 2, 3, 4]))
      model.config =
        "{\"architectures\":[\"T\"],\"quantization_config\":{\"quant_method\":\"bitsandbytes\"}}"
      try bench.add("a", model)
      let plan = try await bench.plan("merge_method: passthrough\nmodels: [{model: a}]")
      #expect(plan.config?.root["quantization_config"] == nil)
    }
  }
}
