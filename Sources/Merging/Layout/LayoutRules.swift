// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What the names of tensors and the keys of config.json cannot tell by themselves.
///
/// Everything else about an architecture is read from the headers. Supporting one that needs more is adding an
/// entry to one of these tables.
enum LayoutRules {
  // MARK: Names of tensors

  /// The last word of a stack's name, by which even a single layer is known as one.
  static let stackWords: Set<String> = ["layers", "layer", "h", "block", "blocks"]

  /// Endings of tables that the model's code could compute again.
  static let buffers = [
    "rotary_emb.inv_freq", "rotary_pos_emb.inv_freq", "attn.masked_bias", "attention.masked_bias",
    "position_ids",
  ]

  /// Parts of the names of tensors that are read before the first layer; all others that belong to no layer
  /// come after the last.
  static let early = [
    "embed", "wte", "wpe", "shared.weight", "patch", "conv1", "conv2", "token_type",
  ]
  /// The exceptions to that.
  static let late = ["embed_out", "embedding_norm"]

  /// Endings of the input embedding.
  static let embeddings = [
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight",
    "embed_in.weight", "shared.weight",
  ]

  /// Endings of the matrix that turns the last hidden state into scores of tokens.
  static let outputHeads = [
    "lm_head.weight", "embed_out.weight", "output.weight", "predictions.decoder.weight",
    "lm_head.decoder.weight", "vocab_projector.weight",
  ]

  /// Endings of other tensors with a row for each token.
  static let vocabularyIndexed =
    embeddings + [
      "embedding.weight", "embeddings.weight", "lm_head.bias", "predictions.bias", "decoder.bias",
      "vocab_projector.bias",
    ]

  /// Tensors that some checkpoints have and others leave out because they are the same as another one.
  static let standIns = [
    "encoder.embed_tokens.weight": "shared.weight",
    "decoder.embed_tokens.weight": "shared.weight",
    "predictions.decoder.bias": "predictions.bias",
    "lm_head.decoder.bias": "lm_head.bias",
  ]

  // MARK: Names of the same tensor in different checkpoints

  /// Beginnings of names that mean the same.
  static let prefixes: [(String, String)] = [
    ("model.language_model.", "language_model.model."), ("model.language_model.", "model."),
    ("model.visual.", "visual."), ("model.vision_tower.", "vision_tower."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("language_model.lm_head.", "lm_head."), ("language_model.", ""), ("model.", ""),
    ("transformer.", ""), ("bert.", ""), ("roberta.", ""), ("distilbert.", ""),
    ("gpt_neox.", ""), ("backbone.", ""), ("vision_tower.vision_model.", "vision_tower."),
  ]

  /// Parts of names that mean the same.
  static let spellings: [(String, String)] = [
    (".LayerNorm.gamma", ".LayerNorm.weight"), (".LayerNorm.beta", ".LayerNorm.bias"),
    (".block_sparse_moe.", ".mlp."),
  ]

  /// The matrices of an expert, as files name them that keep experts apart.
  struct ExpertNames: Hashable, Sendable {
    let gate: String
    let up: String
    let down: String
    /// The part of the layer that holds the experts.
    let block: String
  }

  static let experts = [
    ExpertNames(gate: "gate_proj", up: "up_proj", down: "down_proj", block: "mlp"),
    ExpertNames(gate: "w1", up: "w3", down: "w2", block: "block_sparse_moe"),
    ExpertNames(gate: "gate_proj", up: "up_proj", down: "down_proj", block: "feed_forward"),
  ]

  /// Kinds of models whose fused experts have the numbers of gate and up by turns, not one after the other.
  static let interleavedExperts: Set<String> = ["gpt_oss"]

  // MARK: Keys of config.json

  /// Keys of the number of layers, by the part of the model that has the layers: the first is taken that has
  /// the right value.
  static func layerCountKeys(_ stack: String) -> [String] {
    let general = ["num_hidden_layers", "n_layer", "n_layers", "num_layers", "depth"]
    let parts = stack.split(separator: ".")
    if parts.contains("decoder") { return ["num_decoder_layers", "decoder_layers"] + general }
    if parts.contains("encoder") { return ["encoder_layers", "num_encoder_layers"] + general }
    return general
  }

  /// Where parts that are no language model have their settings.
  static let partScopes: [(name: String, scope: String)] = [
    ("vision", "vision_config"), ("visual", "vision_config"), ("audio", "audio_config"),
  ]

  /// Keys of lists of layer numbers.
  static let layerLists: Set<String> = [
    "mlp_only_layers", "full_attn_idxs", "attn_layer_indices", "global_attn_every_n_layers_list",
    "cross_attention_layers", "full_attention_layers", "moe_layers", "out_indices",
    "hybrid_layer_ids",
  ]

  /// Keys of texts with a letter for each layer.
  static let layerTexts: Set<String> = ["hybrid_override_pattern"]

  /// Keys of lists that begin again where they are shorter than the stack.
  static let cyclicLists: Set<String> = ["block_types"]

  /// Settings that tell what a layer is by a rule about its number.
  static let layerRules: [LayerRule] = [
    LayerRule("first_k_dense_replace", .below, isStructural: true),
    LayerRule("max_window_layers", .below, unless: "layer_types"),
    LayerRule("decoder_sparse_step", .every(offset: -1), isStructural: true),
    LayerRule("interleave_moe_layer_step", .every(offset: -1), isStructural: true),
    LayerRule("moe_layer_freq", .every(offset: 0), isStructural: true),
    LayerRule(
      "attn_layer_period", .everyFrom(key: "attn_layer_offset"), isStructural: true),
    LayerRule(
      "expert_layer_period", .everyFrom(key: "expert_layer_offset"), isStructural: true),
    LayerRule(
      "full_attention_interval", .every(offset: -1), isStructural: true, unless: "layer_types"),
    LayerRule("sliding_window_pattern", .every(offset: -1), unless: "layer_types"),
    LayerRule("global_attn_every_n_layers", .every(offset: 0), unless: "layer_types"),
    LayerRule("no_rope_layer_interval", .every(offset: -1), unless: "no_rope_layers"),
  ]
}

/// A setting that divides layers into two kinds by their numbers.
struct LayerRule: Sendable {
  enum Kind: Sendable {
    /// Layers with a number below the value.
    case below
    /// Layers whose number less `offset` is a multiple of the value.
    case every(offset: Int)
    /// The same with an offset that is another setting.
    case everyFrom(key: String)
  }

  let key: String
  let kind: Kind
  /// Whether layers of the two kinds have different tensors.
  let isStructural: Bool
  /// A list with an entry for each layer that says the same and wins.
  let list: String?

  init(_ key: String, _ kind: Kind, isStructural: Bool = false, unless list: String? = nil) {
    self.key = key
    self.kind = kind
    self.isStructural = isStructural
    self.list = list
  }
}
