// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import Storage
package import SystemPackage
package import Weights

/// A small model of the Llama family with everything that a model folder has.
package struct ModelFixture: Sendable {
  package var architecture = "LlamaForCausalLM"
  package var layers = 2
  package var hidden = 8
  package var intermediate = 12
  package var vocabulary = 16
  package var dtype = DType.f32
  /// Models of one seed are the same but for their `shift`.
  package var seed: UInt64 = 1
  /// Added to every weight.
  package var shift: Float = 0
  /// The most bytes of a shard; 0 for one shard.
  package var shardSize = 0
  package var license: String? = "apache-2.0"

  package init(seed: UInt64 = 1, shift: Float = 0) {
    self.seed = seed
    self.shift = shift
  }

  /// This model with another value in one place.
  package func setting<Value>(_ place: WritableKeyPath<Self, Value>, to value: Value) -> Self {
    var model = self
    model[keyPath: place] = value
    return model
  }

  package var tensors: [TensorInfo] {
    var tensors = [tensor("model.embed_tokens.weight", vocabulary, hidden)]
    for layer in 0..<layers {
      let prefix = "model.layers.\(layer)"
      tensors += [
        tensor("\(prefix).input_layernorm.weight", hidden),
        tensor("\(prefix).self_attn.q_proj.weight", hidden, hidden),
        tensor("\(prefix).self_attn.k_proj.weight", hidden, hidden),
        tensor("\(prefix).self_attn.v_proj.weight", hidden, hidden),
        tensor("\(prefix).self_attn.o_proj.weight", hidden, hidden),
        tensor("\(prefix).post_attention_layernorm.weight", hidden),
        tensor("\(prefix).mlp.gate_proj.weight", intermediate, hidden),
        tensor("\(prefix).mlp.up_proj.weight", intermediate, hidden),
        tensor("\(prefix).mlp.down_proj.weight", hidden, intermediate),
      ]
    }
    return tensors + [
      tensor("model.norm.weight", hidden), tensor("lm_head.weight", vocabulary, hidden),
    ]
  }

  /// Writes the model's folder.
  ///
  /// - Parameter keep: Which of the tensors are written.
  @discardableResult
  package func write(
    to folder: FilePath, keep: (TensorInfo) -> Bool = { _ in true }
  ) throws -> FilePath {
    let layout = ShardLayout(tensors.filter(keep), maximumShardSize: shardSize)
    let writer = try CheckpointWriter(
      target: folder, layout: layout, fingerprint: "none: always from the start", replacing: true)
    for (number, shard) in layout.shards.enumerated() {
      let file = try writer.file(shard: number)
      for index in shard.tensors {
        try file.write(bytes(of: layout.tensors[index]), at: layout.places[index].range.lowerBound)
      }
      try writer.finish(shard: number)
    }
    for (name, text) in files { try writer.write(Array(text.utf8), as: name) }
    try writer.commit()
    return folder
  }

  private func tensor(_ name: String, _ shape: Int...) -> TensorInfo {
    TensorInfo(name: TensorName(name), dtype: dtype, shape: shape)
  }

  /// Values between -1 and 1, plus the shift; as bf16 unless the model is of fp32.
  private func bytes(of tensor: TensorInfo) -> [UInt8] {
    var state = tensor.name.text.utf8.reduce(seed &* 0x9e37_79b9_7f4a_7c15) {
      $0 &* 31 &+ UInt64($1)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(tensor.byteCount)
    for _ in 0..<tensor.elementCount {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648 + shift
      let bits = value.bitPattern
      let wanted = dtype == .f32 ? [0, 8, 16, 24] : [16, 24]
      for place in wanted { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(place))) }
    }
    return bytes
  }

  private var files: [(name: String, text: String)] {
    let licenseLine = license.map { "license: \($0)\n" } ?? ""
    return [
      (
        "config.json",
        """
        {
          "architectures": ["\(architecture)"],
          "hidden_size": \(hidden),
          "intermediate_size": \(intermediate),
          "model_type": "llama",
          "num_attention_heads": 2,
          "num_hidden_layers": \(layers),
          "num_key_value_heads": 2,
          "tie_word_embeddings": false,
          "torch_dtype": "\(dtype.torchName)",
          "vocab_size": \(vocabulary)
        }

        """
      ),
      ("generation_config.json", "{\"eos_token_id\": 2}\n"),
      ("tokenizer.json", tokenizer),
      ("tokenizer_config.json", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}\n"),
      ("README.md", "---\nlibrary_name: transformers\n\(licenseLine)---\n\n# A small model\n"),
    ]
  }

  private var tokenizer: String {
    let entries = (0..<vocabulary).map { "\"t\($0)\": \($0)" }.joined(separator: ", ")
    return """
      {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {\(entries)}, "merges": []}}

      """
  }
}

extension FileSystem {
  /// The SHA-256 of every file below a folder, hidden ones included.
  package static func digests(below folder: FilePath) throws -> [String: String] {
    var digests: [String: String] = [:]
    for path in try files(below: folder) {
      let hasher = Digest.Hasher(.sha256)
      hasher.update(try read(folder.pushing(path)))
      digests[path.string] = hasher.finish().hex
    }
    return digests
  }
}
