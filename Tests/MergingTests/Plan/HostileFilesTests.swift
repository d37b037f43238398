// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

/// Files that somebody made to do harm, beside sound weights: whatever they say, planning ends with a plan or with
/// an error that names them.
@Suite("Hostile files around the weights")
struct HostileFilesTests {
  static let deep = String(repeating: "[", count: 100_000)
  static let recipe =
    "merge_method: passthrough\nslices:\n"
    + "  - sources: [{model: a, layer_range: [0, 1]}]\n  - sources: [{model: a, layer_range: [1, 2]}]\n"

  /// What planning comes to with a file put into the model's folder: nil if it is a plan.
  static func failure(_ name: String, _ bytes: [UInt8], _ recipe: String = recipe) async throws
    -> (any Error)?
  {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(layers: 2))
      try FileSystem.write(bytes, to: folder.appending("a").appending(name))
      do {
        _ = try await bench.plan(recipe)
        return nil
      } catch let error as UnavailableModels {
        return error.failures[0].error
      } catch {
        return error
      }
    }
  }

  @Test(
    "A config.json that is none is refused by its name",
    arguments: [
      "", "[]", "3", "{", deep, "{\"a\":\(deep)", "\u{0}", "{\"a\":1}{}", "{\"a\":\"\\ud8\"}",
    ])
  func brokenConfig(text: String) async throws {
    switch try await Self.failure("config.json", Array(text.utf8)) as? WeightsError {
    case .brokenJSON(let path, _), .malformed(let path, _):
      #expect(path.lastComponent?.string == "config.json")
    case let other: Issue.record("\(String(describing: other))")
    }
  }

  @Test(
    "Settings that make no sense do no harm",
    arguments: [
      #""num_hidden_layers":1e999"#, #""num_hidden_layers":-2"#,
      #""num_hidden_layers":9223372036854775807"#,
      #""num_hidden_layers":[2]"#, #""layer_types":[1,2,3]"#, #""layer_types":{"a":1}"#,
      #""mlp_only_layers":[-1,9223372036854775807,"x"]"#,
      #""attn_layer_period":-9223372036854775808,"attn_layer_offset":-9223372036854775808"#,
      #""attn_layer_period":2,"attn_layer_offset":-9223372036854775808"#,
      #""first_k_dense_replace":-9223372036854775808"#, #""decoder_sparse_step":0"#,
      #""vocab_size":-4"#, #""vocab_size":1e400"#, #""tie_word_embeddings":"yes""#,
      #""architectures":"T""#, #""architectures":[null]"#, #""model_type":["gpt_oss"]"#,
      #""text_config":3"#, #""text_config":[]"#, #""torch_dtype":{"a":1}"#,
      #""torch_dtype":"float7""#,
      #""quantization_config":7"#, #""quantization_config":{"quant_method":[]}"#,
      #""quantization_config":{"weight_block_size":[0,-1,9223372036854775807]}"#,
      #""compression_config":"x""#, #""\u0000":"\u0000""#,
    ])
  func senseless(member: String) async throws {
    let text = "{\"architectures\":[\"T\"],\"num_hidden_layers\":2,\(member)}"
    let failure = try await Self.failure("config.json", Array(text.utf8))
    #expect(failure == nil || failure is RecipeError, "\(String(describing: failure))")
  }

  @Test("A config.json of terabytes is not read")
  func hugeConfig() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(layers: 2))
      for name in ["config.json", "model.safetensors.index.json"] {
        let path = folder.appending("a").appending(name)
        try File(path, .createOrUpdate).truncate(to: 1 << 42)
        let error = await #expect(throws: UnavailableModels.self) {
          try await bench.plan(Self.recipe)
        }
        let cause = try #require(error?.failures.first?.error as? StorageError)
        #expect(cause.path == path)
        #expect(cause.detail?.contains("more than such a file has") == true)
        try FileSystem.remove(path)
      }
    }
  }

  @Test(
    "An index that leads astray is refused by its name",
    arguments: [
      #"{"weight_map":{"x":"../../etc/passwd"}}"#, #"{"weight_map":{"x":"/dev/zero"}}"#,
      #"{"weight_map":{"x":"config.json"}}"#, #"{"weight_map":{"x":"nowhere.safetensors"}}"#,
      #"{"weight_map":{"x":"model.safetensors"}}"#, #"{"weight_map":{}}"#, #"{"weight_map":[]}"#,
      #"{"weight_map":{"x":["model.safetensors"]}}"#, deep,
    ])
  func index(text: String) async throws {
    let failure = try await Self.failure("model.safetensors.index.json", Array(text.utf8))
    let isNamed = failure is WeightsError || failure is RecipeError
    #expect(isNamed, "\(String(describing: failure))")
  }

  @Test(
    "Factors of weights that are made up are refused",
    arguments: [[0], [0, 0], [3, 3], [1, 1, 1, 1], [2], [2, 2, 2]])
  func factors(shape: [Int]) async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      var model = TinyModel(
        .init("w.weight", [4, 4], .f8E4M3, [Double](repeating: 1, count: 16)),
        .init("w.weight_scale_inv", shape, .f32, [Double](repeating: 1, count: shape.reduce(1, *))))
      model.config = "{\"quantization_config\":{\"weight_block_size\":[9223372036854775807,-1]}}"
      try bench.add("a", model)
      let error = await #expect(throws: UnavailableModels.self) {
        try await bench.plan("merge_method: passthrough\nmodels: [{model: a}]")
      }
      guard case WeightsError.quantized(_, .scaled)? = error?.failures.first?.error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test(
    "An adapter_config.json full of extremes is refused or applied, and never followed blindly",
    arguments: [
      #""r":9223372036854775807"#, #""r":-1"#, #""r":0"#, #""r":1e300"#, #""lora_alpha":1e999"#,
      #""r":3,"rank_pattern":{"q":1e300}"#, #""r":3,"rank_pattern":{"q":2.5}"#,
      #""r":3,"rank_pattern":{"q":-9223372036854775808}"#, #""r":3,"alpha_pattern":{"q":"x"}"#,
      #""r":3,"rank_pattern":{"(((((((((((a?)?)?)?)?)?)?)?)?)?)?":1}"#,
      #""r":3,"trainable_token_indices":[9223372036854775807]"#, "\"r\":\(deep)",
      #""r":3,"fan_in_fan_out":"maybe""#, #""r":3,"use_dora":true"#,
    ])
  func adapter(member: String) async throws {
    try await withTemporaryFolder { folder in
      let fixture = AdapterMergeTests.linear(folder)
      try fixture.write()
      try FileSystem.write(
        "{\"peft_type\":\"LORA\",\"lora_alpha\":6,\(member)}",
        to: fixture.adapterPath.appending("adapter_config.json"))
      let fault = try await fixture.faultOfFiles()
      let isHarmless =
        member.contains("fan_in") || member.contains("indices") || member.contains("a?")
      #expect(fault != nil || isHarmless)
    }
  }

  @Test("Layers with numbers beyond all measure, and names of terabytes in words, are no stack")
  func names() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      var model = TinyModel(layers: 2)
      for name in [
        "model.layers.9223372036854775807.x", "model.layers.99999999999999999999.x", "0.1.2",
        "....", "layers.00.x", String(repeating: "a.", count: 20_000), "model.experts.gate_up_proj",
        ".experts.gate_up_proj", ".experts.0.gate_proj.weight", "\u{202e}x", "é", "e\u{301}",
      ] {
        model.tensors.append(.init(TensorName(name), [1], .f32, [1]))
      }
      try bench.add("a", model)
      let result = try await bench.merge("merge_method: passthrough\nmodels: [{model: a}]")
      #expect(result.count == model.tensors.count)
    }
  }
}
