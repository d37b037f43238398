// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The name of a tensor in an adapter, taken apart: a module of the model, and what the tensor is to it.
struct AdapterKey {
  enum Part: String {
    case down = "lora_A"
    case up = "lora_B"
    case upBias = "lora_B.bias"
    case embeddingDown = "lora_embedding_A"
    case embeddingUp = "lora_embedding_B"
    case magnitudes = "lora_magnitude_vector"
    case tokenRows = "trainable_tokens_delta"
    /// A whole tensor that takes the place of the model's.
    case replacement
  }

  /// The path of the module without the wrappers of PEFT; of a replacement the tensor's name.
  let path: String
  let part: Part
  /// How many other adapters of the same module this one is wrapped around.
  let depth: Int

  private static let prefix = "base_model.model."

  /// Nil if the name is not one that LoRA adapters have.
  init?(_ name: TensorName) {
    guard name.text.hasPrefix(Self.prefix) else { return nil }
    let parts = name.text.dropFirst(Self.prefix.count).split(
      separator: ".", omittingEmptySubsequences: false)
    let markers = [
      "lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector",
      "token_adapter", "modules_to_save",
    ]
    let place = parts.firstIndex { markers.contains(String($0)) } ?? parts.count
    let owner = parts[..<place].filter { $0 != "base_layer" }
    depth = place - owner.count
    guard place < parts.count else {
      // The matrices of other kinds of adapters are no weights of the model.
      let isForeign = parts.contains { part in
        ["lora_", "hada_", "lokr_", "ia3_", "vera_", "oft_", "boft_"].contains {
          part.hasPrefix($0)
        }
      }
      if isForeign { return nil }
      path = owner.joined(separator: ".")
      part = .replacement
      return
    }
    let tail = parts[(place + 1)...].filter { $0 != "default" }.joined(separator: ".")
    switch (parts[place], tail) {
    case ("lora_A", "weight"): part = .down
    case ("lora_B", "weight"): part = .up
    case ("lora_B", "bias"): part = .upBias
    case ("lora_embedding_A", ""): part = .embeddingDown
    case ("lora_embedding_B", ""): part = .embeddingUp
    case ("lora_magnitude_vector", ""), ("lora_magnitude_vector", "weight"): part = .magnitudes
    case ("token_adapter", "trainable_tokens_delta"): part = .tokenRows
    case ("modules_to_save", _) where !tail.isEmpty:
      path = owner.joined(separator: ".") + "." + tail
      part = .replacement
      return
    default: return nil
    }
    path = owner.joined(separator: ".")
  }
}
