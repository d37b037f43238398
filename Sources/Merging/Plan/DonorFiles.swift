// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Which of a model's files go with its weights into a model that is made of it.
package enum DonorFiles {
  private static let weightSuffixes = [
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".ggml", ".onnx", ".onnx_data", ".h5",
    ".msgpack", ".tflite", ".ot", ".npz", ".mlmodel", ".index.json", ".tmp", ".incomplete", ".lock",
    ".metadata",
  ]
  private static let stateNames: Set<String> = [
    "README.md", "config.json", "mergekit_config.yml", "trainer_state.json", "all_results.json",
    "train_results.json", "eval_results.json", "optimizer.pt", "scheduler.pt", "hubmerge.lock",
  ]
  private static let otherFolders: Set<String> = [
    "original", "onnx", "openvino", "coreml", "runs", "logs", "checkpoints", "metal", "gguf",
  ]

  /// Everything but weights, training state, hidden files, and what the output gets anew.
  package static func isCopied(_ path: String) -> Bool {
    let parts = path.split(separator: "/").map(String.init)
    guard let name = parts.last, !stateNames.contains(path) else { return false }
    if parts.contains(where: { $0.hasPrefix(".") }) { return false }
    if parts.dropLast().contains(where: { otherFolders.contains($0) || $0.hasPrefix("checkpoint-") }
    ) {
      return false
    }
    return !weightSuffixes.contains { name.lowercased().hasSuffix($0) }
      && !name.hasPrefix("adapter_config")
  }

  package static func isTokenizer(_ path: String) -> Bool {
    let names = [
      "tokenizer", "special_tokens_map", "added_tokens", "vocab", "merges.txt", "spiece",
      "sentencepiece", "chat_template", "tekken", "additional_chat_templates",
    ]
    return names.contains { path.hasPrefix($0) }
  }
}
