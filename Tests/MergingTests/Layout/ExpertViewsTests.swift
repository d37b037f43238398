// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("Experts that are apart in one file and together in another")
struct ExpertViewsTests {
  /// How a file has the experts of a layer.
  struct Form: Sendable, CustomTestStringConvertible {
    var isFused = true
    var isTransposed = false
    var isInterleaved = false
    var block = "mlp"
    var names = ("gate_proj", "up_proj", "down_proj")

    var testDescription: String {
      isFused
        ? "fused\(isTransposed ? ", transposed" : "")\(isInterleaved ? ", by turns" : "")" : names.0
    }

    var config: String {
      "{\"architectures\":[\"T\"],\"model_type\":\"\(isInterleaved ? "gpt_oss" : "moe")\"}"
    }
  }

  static let apart = Form(isFused: false)
  static let mixtral = Form(
    isFused: false, block: "block_sparse_moe", names: ("w1", "w3", "w2"))
  static let (experts, inner, hidden) = (3, 5, 4)

  /// The number of an element, the same for every form: 1000s count experts, 100s matrices.
  static func value(_ expert: Int, _ matrix: Int, _ row: Int, _ column: Int) -> Double {
    Double(1000 * expert + 100 * matrix + 10 * row + column)
  }

  static func model(_ form: Form, times factor: Double, biases: Bool = false) -> TinyModel {
    var model = TinyModel(layers: 0)
    model.tensors = []
    model.config = form.config
    func add(_ name: String, _ shape: [Int], _ value: ([Int]) -> Double) {
      let values = (0..<shape.reduce(1, *)).map { element -> Double in
        var rest = element
        var place: [Int] = []
        for length in shape.reversed() {
          place.insert(rest % length, at: 0)
          rest /= length
        }
        return factor * value(place)
      }
      model.tensors.append(.init(TensorName(name), shape, .f32, values))
    }
    let prefix = "model.layers.0.\(form.block).experts"
    add("model.layers.0.\(form.block).gate.weight", [experts, hidden]) { Double($0[0] + $0[1]) }
    guard form.isFused else {
      for expert in 0..<experts {
        for (matrix, part) in [form.names.0, form.names.1].enumerated() {
          add("\(prefix).\(expert).\(part).weight", [inner, hidden]) {
            value(expert, matrix, $0[0], $0[1])
          }
          guard biases else { continue }
          add("\(prefix).\(expert).\(part).bias", [inner]) { value(expert, matrix, $0[0], 9) }
        }
        add("\(prefix).\(expert).\(form.names.2).weight", [hidden, inner]) {
          value(expert, 2, $0[0], $0[1])
        }
        if biases {
          add("\(prefix).\(expert).\(form.names.2).bias", [hidden]) { value(expert, 2, $0[0], 9) }
        }
      }
      return model
    }
    // Which matrix, and which of its rows, an output of gate and up together is.
    func half(_ output: Int) -> (Int, Int) {
      form.isInterleaved ? (output % 2, output / 2) : (output / inner, output % inner)
    }
    let wide = 2 * inner
    add(
      "\(prefix).gate_up_proj",
      form.isTransposed ? [experts, hidden, wide] : [experts, wide, hidden]
    ) {
      let (row, column) = form.isTransposed ? ($0[2], $0[1]) : ($0[1], $0[2])
      return value($0[0], half(row).0, half(row).1, column)
    }
    add(
      "\(prefix).down_proj",
      form.isTransposed ? [experts, inner, hidden] : [experts, hidden, inner]
    ) {
      form.isTransposed ? value($0[0], 2, $0[2], $0[1]) : value($0[0], 2, $0[1], $0[2])
    }
    if biases {
      add("\(prefix).gate_up_proj_bias", [experts, wide]) {
        value($0[0], half($0[1]).0, half($0[1]).1, 9)
      }
      add("\(prefix).down_proj_bias", [experts, hidden]) { value($0[0], 2, $0[1], 9) }
    }
    return model
  }

  struct Meeting: Sendable, CustomTestStringConvertible {
    let first: Form
    let second: Form
    /// What comes of them.
    let result: Form
    var biases = false
    var testDescription: String {
      "\(first.testDescription) + \(second.testDescription) = \(result.testDescription)"
    }
  }

  static let turned = Form(isTransposed: true)
  static let byTurns = Form(isTransposed: true, isInterleaved: true)

  @Test(
    "The average is that of the same numbers, in the layout that is published",
    arguments: [
      Meeting(first: Form(), second: apart, result: apart),
      Meeting(first: apart, second: Form(), result: apart, biases: true),
      Meeting(first: Form(), second: mixtral, result: mixtral),
      Meeting(first: turned, second: apart, result: turned),
      Meeting(first: apart, second: turned, result: turned, biases: true),
      Meeting(first: byTurns, second: apart, result: byTurns, biases: true),
      Meeting(first: turned, second: Form(), result: turned),
      Meeting(first: Form(), second: turned, result: Form()),
    ])
  func average(_ meeting: Meeting) async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      var (a, b) = (
        Self.model(meeting.first, times: 1, biases: meeting.biases),
        Self.model(meeting.second, times: 3, biases: meeting.biases)
      )
      // Which of the two is of the kind with numbers by turns must not matter here.
      (a.config, b.config) = (meeting.result.config, meeting.result.config)
      try bench.add("a", a)
      try bench.add("b", b)
      let result = try await bench.merge(
        "merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: a}, {model: b}]")
      let wanted = Self.model(meeting.result, times: 2, biases: meeting.biases)
      #expect(Set(result.keys) == Set(wanted.tensors.map(\.info.name)))
      for tensor in wanted.tensors {
        #expect(result[tensor.info.name]?.shape == tensor.info.shape)
        #expect(result[tensor.info.name]?.values == tensor.values, "\(tensor.info.name)")
      }
    }
  }

  @Test("A view of one expert is a range of the fused tensor's bytes")
  func inPlace() throws {
    let fused = try NameAlignmentTests.checkpoint([
      "model.layers.0.mlp.experts.gate_up_proj": [2, 6, 4],
      "model.layers.0.mlp.experts.down_proj": [2, 4, 3],
    ])
    let apart = try NameAlignmentTests.checkpoint([
      "model.layers.0.mlp.experts.0.gate_proj.weight": [3, 4],
      "model.layers.0.mlp.experts.0.up_proj.weight": [3, 4],
      "model.layers.0.mlp.experts.0.down_proj.weight": [4, 3],
    ])
    let models = [NameAlignmentTests.model(fused), NameAlignmentTests.model(apart)].aligned(to: 0)
    let whole = try #require(fused.tensors["model.layers.0.mlp.experts.gate_up_proj"])
    let up = try #require(
      models[0].checkpoint.tensors["model.layers.0.mlp.experts.1.up_proj.weight"])
    #expect(up.strides == nil)
    // The second half of the second expert: the last 12 of 48 numbers.
    #expect(up.range == whole.range.lowerBound + 36 * 4..<whole.range.upperBound)
  }

  @Test("Every tensor of both files is used, and none is said to be lost")
  func coverage() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", Self.model(Self.turned, times: 1))
      try bench.add("b", Self.model(Self.apart, times: 3))
      let plan = try await bench.plan(
        "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]")
      #expect(plan.unused.isEmpty)
      #expect(plan.warnings.isEmpty)
    }
  }
}
