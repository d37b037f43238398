// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The measures of a Llama model.
struct LlamaShape {
  let vocabulary: Int
  let hidden: Int
  let intermediate: Int
  let layers: Int
  let heads: Int
  let keyValueHeads: Int

  static let demo = LlamaShape(
    vocabulary: 8192, hidden: 384, intermediate: 1024, layers: 6, heads: 6, keyValueHeads: 2)

  private var headSize: Int { hidden / heads }

  /// Everything that the checkpoint holds, in the order of the model.
  var tensors: [TensorInfo] {
    var tensors = [tensor("model.embed_tokens.weight", vocabulary, hidden)]
    for layer in 0..<layers {
      let prefix = "model.layers.\(layer)"
      let keyValueSize = keyValueHeads * headSize
      tensors += [
        tensor("\(prefix).input_layernorm.weight", hidden),
        tensor("\(prefix).mlp.down_proj.weight", hidden, intermediate),
        tensor("\(prefix).mlp.gate_proj.weight", intermediate, hidden),
        tensor("\(prefix).mlp.up_proj.weight", intermediate, hidden),
        tensor("\(prefix).post_attention_layernorm.weight", hidden),
        tensor("\(prefix).self_attn.k_proj.weight", keyValueSize, hidden),
        tensor("\(prefix).self_attn.o_proj.weight", hidden, hidden),
        tensor("\(prefix).self_attn.q_proj.weight", hidden, hidden),
        tensor("\(prefix).self_attn.v_proj.weight", keyValueSize, hidden),
      ]
    }
    return tensors + [
      tensor("model.norm.weight", hidden), tensor("lm_head.weight", vocabulary, hidden),
    ]
  }

  var parameterCount: Int { tensors.reduce(0) { $0 + $1.elementCount } }

  private func tensor(_ name: String, _ shape: Int...) -> TensorInfo {
    TensorInfo(name: TensorName(name), dtype: .bf16, shape: shape)
  }

  /// config.json, as transformers 4 spells it.
  func config(_ tokenizer: DemoTokenizer) -> String {
    """
    {
      "architectures": [
        "LlamaForCausalLM"
      ],
      "attention_bias": false,
      "attention_dropout": 0.0,
      "bos_token_id": \(tokenizer.id(of: .begin)),
      "eos_token_id": \(tokenizer.id(of: .end)),
      "head_dim": \(headSize),
      "hidden_act": "silu",
      "hidden_size": \(hidden),
      "initializer_range": 0.02,
      "intermediate_size": \(intermediate),
      "max_position_embeddings": 2048,
      "mlp_bias": false,
      "model_type": "llama",
      "num_attention_heads": \(heads),
      "num_hidden_layers": \(layers),
      "num_key_value_heads": \(keyValueHeads),
      "pretraining_tp": 1,
      "rms_norm_eps": 1e-05,
      "rope_scaling": null,
      "rope_theta": 10000.0,
      "tie_word_embeddings": false,
      "torch_dtype": "bfloat16",
      "transformers_version": "4.46.3",
      "use_cache": true,
      "vocab_size": \(vocabulary)
    }

    """
  }

  func generationConfig(_ tokenizer: DemoTokenizer) -> String {
    """
    {
      "_from_model_config": true,
      "bos_token_id": \(tokenizer.id(of: .begin)),
      "eos_token_id": \(tokenizer.id(of: .end)),
      "transformers_version": "4.46.3"
    }

    """
  }
}
