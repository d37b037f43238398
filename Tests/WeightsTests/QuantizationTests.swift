// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing
import Weights

@Suite("Quantised checkpoints")
struct QuantizationTests {
  /// A header that lists tensors as they come.
  struct Header: ShardHeader {
    let entries: [TensorEntry]
    let fileSize = 0

    init(_ tensors: [String: DType], shapes: [String: [Int]]) {
      entries = tensors.map { name, dtype in
        TensorEntry(
          info: TensorInfo(
            name: TensorName(name), dtype: dtype, shape: shapes[name] ?? [200, 300]),
          range: 0..<0)
      }
    }
  }

  static func checkpoint(
    _ tensors: [String: DType], shapes: [String: [Int]] = [:], config: String? = nil
  ) throws -> Checkpoint {
    try Checkpoint(
      folder: "m", config: try config.map { try ModelConfig(Array($0.utf8), path: "c") },
      shards: [(name: "model.safetensors", header: Header(tensors, shapes: shapes))])
  }

  static func scheme(_ tensors: [String: DType], method: String? = nil) throws
    -> QuantizationScheme?
  {
    do {
      _ = try checkpoint(
        tensors, config: method.map { "{\"quantization_config\":{\"quant_method\":\"\($0)\"}}" })
      return nil
    } catch WeightsError.quantized(_, let scheme) {
      return scheme
    }
  }

  @Test("The tensors beside a weight give the scheme away")
  func byNames() throws {
    #expect(
      try Self.scheme(["a.weight": .u8, "a.weight.absmax": .f32, "a.weight.quant_map": .f32])
        == .bitsandbytes)
    #expect(try Self.scheme(["a.weight": .i8, "a.SCB": .f32]) == .bitsandbytes)
    #expect(
      try Self.scheme(["a.qweight": .i32, "a.qzeros": .i32, "a.scales": .f16, "a.g_idx": .i32])
        == .gptq)
    #expect(
      try Self.scheme(["a.qweight": .i32, "a.qzeros": .i32, "a.scales": .f16], method: "awq")
        == .awq)
    #expect(
      try Self.scheme(["a.weight_packed": .i32, "a.weight_scale": .bf16]) == .compressedTensors)
    #expect(
      try Self.scheme(["e.gate_up_proj_blocks": .u8, "e.gate_up_proj_scales": .u8]) == .mxfp4)
    #expect(
      try Self.scheme([
        "a.weight": .u8, "a.weight_scale": .f8E4M3, "a.weight_scale_2": .f32,
      ]) == .nvfp4)
    #expect(try Self.scheme(["a.weight": .i8, "a.weight_scale": .f32]) == .scaled)
  }

  @Test("A scheme that only the configuration knows counts if the weights are whole numbers")
  func byConfig() throws {
    #expect(try Self.scheme(["a.weight": .i8], method: "hqq") == .other("hqq"))
    #expect(try Self.scheme(["a.weight": .bf16], method: "bitsandbytes") == nil)
  }

  @Test("Plain weights are plain, whatever else is called scale")
  func plain() throws {
    #expect(
      try Self.scheme(["a.weight": .bf16, "logit_scale": .f32, "scales": .f32, "blocks": .i64])
        == nil)
    #expect(try Self.scheme(["a.weight": .f8E4M3]) == nil)
  }

  struct Fit: Sendable {
    let ending: String
    let shape: [Int]
    var config = "{}"
    /// The block that shares a factor; nil if the factors do not fit.
    let block: [Int]?
  }

  @Test(
    "Weights of eight bits get their factors: of squares, rows, columns, or all elements",
    arguments: [
      Fit(ending: "_scale_inv", shape: [2, 3], block: [128, 128]),
      Fit(ending: "_scale_inv", shape: [], block: [200, 300]),
      Fit(
        ending: "_scale_inv", shape: [4, 5],
        config: "{\"quantization_config\":{\"weight_block_size\":[64,64]}}", block: [64, 64]),
      Fit(
        ending: "_scale", shape: [4, 5],
        config: "{\"text_config\":{\"quantization_config\":{\"config_groups\":{\"group_0\":"
          + "{\"weights\":{\"block_structure\":[64,64]}}}}}}", block: [64, 64]),
      Fit(ending: "_scale", shape: [1], block: [200, 300]),
      Fit(ending: "_scale", shape: [200, 1], block: [1, 300]),
      Fit(ending: "_scale", shape: [200], block: [1, 300]),
      Fit(ending: "_scale", shape: [1, 300], block: [200, 1]),
      Fit(ending: "_scale_inv", shape: [4, 5], block: nil),
      Fit(ending: "_scale", shape: [7], block: nil),
      Fit(ending: "_scale", shape: [1, 1, 1], block: nil),
    ])
  func factors(_ fit: Fit) throws {
    let names: [String: DType] = [
      "a.weight": .f8E4M3, "a.weight\(fit.ending)": .f32, "a.input_scale": .f32,
      "norm.weight": .bf16,
    ]
    let shapes = ["a.weight\(fit.ending)": fit.shape, "a.input_scale": []]
    guard let block = fit.block else {
      #expect {
        try Self.checkpoint(names, shapes: shapes, config: fit.config)
      } throws: {
        if case WeightsError.quantized(_, .scaled) = $0 { true } else { false }
      }
      return
    }
    let checkpoint = try Self.checkpoint(names, shapes: shapes, config: fit.config)
    #expect(checkpoint.names == ["a.weight", "norm.weight"])
    #expect(
      checkpoint.quantizationTensors == ["a.input_scale", TensorName("a.weight" + fit.ending)])
    let tensor = try #require(checkpoint.tensors["a.weight"])
    #expect((tensor.info.dtype, tensor.storedDType) == (.bf16, .f8E4M3))
    guard case .scaled(let scales) = tensor.derivation else {
      Issue.record("it has no factors")
      return
    }
    #expect(scales.block == block)
  }

  @Test("They are taken for what the configuration says that they were")
  func dtype() throws {
    for (name, dtype) in [("float16", DType.f16), ("float32", .f32), ("int8", .bf16)] {
      let checkpoint = try Self.checkpoint(
        ["a.weight": .f8E5M2, "a.weight_scale": .f32], shapes: ["a.weight_scale": []],
        config: "{\"torch_dtype\":\"\(name)\"}")
      #expect(checkpoint.tensors["a.weight"]?.info.dtype == dtype)
    }
  }

  @Test(
    "Each element is multiplied by its block's factor, however the tensor is cut",
    arguments: [
      ([5, 7], [2, 3], [3, 3]), ([5, 7], [5, 1], [1, 7]), ([5, 7], [1, 7], [5, 1]),
      ([5, 7], [], [5, 7]), ([2, 3, 4], [2, 1, 4], [1, 3, 1]), ([2, 3, 4], [1, 2, 2], [2, 2, 2]),
    ])
  func multiplies(shape: [Int], counts: [Int], block: [Int]) throws {
    let count = shape.reduce(1, *)
    let checkpoint = try Self.checkpoint(
      ["a.weight": .f8E4M3, "a.weight_scale_inv": .f32],
      shapes: ["a.weight": shape, "a.weight_scale_inv": counts],
      config: "{\"quantization_config\":{\"weight_block_size\":\(block)}}")
    guard case .scaled(let scales) = checkpoint.tensors["a.weight"]?.derivation else {
      Issue.record("it has no factors")
      return
    }
    let factors = (0..<counts.reduce(1, *)).map { Float($0 + 2) }
    let expected = (0..<count).map { element -> Float in
      var (rest, place, stride) = (element, 0, 1)
      for axis in shape.indices.reversed() {
        let perAxis = (shape[axis] + block[axis] - 1) / block[axis]
        place += rest % shape[axis] / block[axis] * stride
        stride *= perAxis
        rest /= shape[axis]
      }
      return Float(element + 1) * factors[place]
    }
    for start in [0, 1, count / 2] {
      for end in [start, min(count, start + 3), count] {
        var values = (start..<end).map { Float($0 + 1) }
        values.withUnsafeMutableBufferPointer {
          guard let first = $0.baseAddress else { return }
          scales.apply(factors, to: first, start..<end, of: shape)
        }
        #expect(values == Array(expected[start..<end]))
      }
    }
  }
}
