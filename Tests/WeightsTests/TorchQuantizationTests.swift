// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing
import Weights

@Suite("Quantised checkpoints")
struct TorchQuantizationTests {
  /// A header that lists tensors as they come.
  struct Header: ShardHeader {
    let entries: [TensorEntry]
    let fileSize = 0

    init(_ tensors: [String: DType]) {
      entries = tensors.map {
        TensorEntry(info: TensorInfo(name: TensorName($0), dtype: $1, shape: [2, 2]), range: 0..<0)
      }
    }
  }

  static func scheme(_ tensors: [String: DType], method: String? = nil) throws -> String? {
    let config = try method.map {
      try ModelConfig(
        Array("{\"quantization_config\":{\"quant_method\":\"\($0)\"}}".utf8), path: "c")
    }
    do {
      _ = try Checkpoint(
        folder: "m", config: config, shards: [(name: "model.safetensors", header: Header(tensors))])
      return nil
    } catch WeightsError.quantized(_, let scheme) {
      return scheme
    }
  }

  @Test("The tensors beside a weight give the scheme away")
  func byNames() throws {
    #expect(
      try Self.scheme(["a.weight": .u8, "a.weight.absmax": .f32, "a.weight.quant_map": .f32])
        == "bitsandbytes")
    #expect(try Self.scheme(["a.weight": .i8, "a.SCB": .f32]) == "bitsandbytes")
    #expect(
      try Self.scheme(["a.qweight": .i32, "a.qzeros": .i32, "a.scales": .f16, "a.g_idx": .i32])
        == "GPTQ")
    #expect(
      try Self.scheme(["a.qweight": .i32, "a.qzeros": .i32, "a.scales": .f16], method: "awq")
        == "awq")
    #expect(
      try Self.scheme(["a.weight_packed": .i32, "a.weight_scale": .bf16]) == "compressed-tensors")
    #expect(
      try Self.scheme(["a.weight": .f8E4M3, "a.weight_scale_inv": .f32])
        == "fp8 with scales of blocks")
    #expect(
      try Self.scheme(["a.weight": .f8E4M3, "a.weight_scale": .f32]) == "fp8 with scales")
    #expect(
      try Self.scheme(["e.gate_up_proj_blocks": .u8, "e.gate_up_proj_scales": .u8]) == "mxfp4")
  }

  @Test("A scheme that only the configuration knows counts if the weights are whole numbers")
  func byConfig() throws {
    #expect(try Self.scheme(["a.weight": .i8], method: "hqq") == "hqq")
    #expect(try Self.scheme(["a.weight": .bf16], method: "bitsandbytes") == nil)
  }

  @Test("Plain weights are plain, whatever else is called scale")
  func plain() throws {
    #expect(
      try Self.scheme(["a.weight": .bf16, "logit_scale": .f32, "scales": .f32, "blocks": .i64])
        == nil)
    #expect(try Self.scheme(["a.weight": .f8E4M3]) == nil)
  }
}
