// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// How a model is built, inferred from the names of its tensors and its config.json: no list of architectures.
package struct ModelLayout: Sendable {
  /// Layers of the same build, one on the other.
  package struct Stack: Sendable {
    /// What precedes the layer's number: `model.layers`.
    package let prefix: String
    /// The tensors of each layer, by what follows the number, in counting order. Layers may differ.
    package let layers: [[String]]
    package let byteCount: Int
  }

  /// By prefix.
  package let stacks: [String: Stack]
  /// The stack that slices are taken of: the largest one.
  package let mainStack: Stack?
  /// The tensors that belong to no stack.
  package let loose: [TensorName]

  package init(_ checkpoint: Checkpoint) {
    var layers: [String: [Int: [String]]] = [:]
    var bytes: [String: Int] = [:]
    var prefixes: [String?] = []
    prefixes.reserveCapacity(checkpoint.names.count)
    for name in checkpoint.names {
      let layered = LayeredName(name)
      prefixes.append(layered?.stack)
      guard let layered, let tensor = checkpoint.tensors[name] else { continue }
      layers[layered.stack, default: [:]][layered.layer, default: []].append(layered.suffix)
      bytes[layered.stack, default: 0] += tensor.storedByteCount
    }
    var stacks: [String: Stack] = [:]
    for (prefix, members) in layers where Self.isStack(prefix, members) {
      stacks[prefix] = Stack(
        prefix: prefix, layers: members.keys.sorted().map { members[$0] ?? [] },
        byteCount: bytes[prefix] ?? 0)
    }
    self.stacks = stacks
    mainStack = stacks.values.max { ($0.byteCount, $1.prefix) < ($1.byteCount, $0.prefix) }
    loose = zip(checkpoint.names, prefixes).compactMap { name, prefix in
      prefix.flatMap { stacks[$0] } == nil ? name : nil
    }
  }

  /// Numbers from 0 without a gap, and something that all layers have in common; a single layer counts where
  /// the name says that it is one.
  private static func isStack(_ prefix: String, _ layers: [Int: [String]]) -> Bool {
    guard layers.keys.max() == layers.count - 1 else { return false }
    if layers.count == 1 {
      let word = prefix.split(separator: ".").last.map(String.init) ?? prefix
      return LayoutRules.stackWords.contains(word)
    }
    // Mostly one of the first is in all of them, and early.
    let first = layers[0] ?? []
    if first.prefix(4).contains(where: { suffix in layers.values.allSatisfy { $0.contains(suffix) }
    }) {
      return true
    }
    return !layers.values.reduce(Set(first)) { $0.intersection($1) }.isEmpty
  }
}

extension TensorName {
  /// Whether the tensor is read before the first layer: embeddings and the like; everything else that belongs
  /// to no layer comes after the last.
  package var isBeforeLayers: Bool {
    let text = text.lowercased()
    if LayoutRules.late.contains(where: { text.contains($0) }) { return false }
    return LayoutRules.early.contains { text.contains($0) }
  }

  /// Whether rows of the tensor belong to tokens of the vocabulary, judged by its name.
  package var isVocabularyIndexed: Bool {
    isOutputHead || ends(withOneOf: LayoutRules.vocabularyIndexed)
  }

  /// Whether the tensor is the matrix that turns token ids into hidden states.
  package var isEmbedding: Bool { ends(withOneOf: LayoutRules.embeddings) }

  /// Whether the tensor turns the last hidden state into scores of tokens.
  package var isOutputHead: Bool {
    ends(withOneOf: LayoutRules.outputHeads) && LayeredName(self) == nil
  }

  /// Whether the tensor is no weight but a table that the model's code could compute again; checkpoints may
  /// have it or not.
  package var isBuffer: Bool { LayoutRules.buffers.contains(where: hasSuffix) }

  private func ends(withOneOf endings: [String]) -> Bool {
    endings.contains { hasSuffix($0) && (text.utf8.count == $0.utf8.count || hasSuffix("." + $0)) }
  }
}

extension Checkpoint {
  /// The embedding that stands in for an output head that the checkpoint does not have.
  package var tiedEmbedding: StoredTensor? {
    // Of a file by itself nothing is known but what it holds.
    if isSingleFile || config?.tiesWordEmbeddings == false { return nil }
    return names.first(where: \.isEmbedding).flatMap { tensors[$0] }
  }

  /// The output heads that are matrices of their own: not those that the configuration says are the embedding.
  package var ownHeads: [TensorName] {
    config?.tiesWordEmbeddings == true ? [] : names.filter(\.isOutputHead)
  }

  /// A tensor, or the one that is known to be the same where the checkpoint leaves it out.
  func tensor(_ name: TensorName) -> StoredTensor? {
    if let tensor = tensors[name] { return tensor }
    if name.isOutputHead, let embedding = tiedEmbedding { return embedding }
    for (ending, other) in LayoutRules.standIns
    where name.text == ending || name.hasSuffix("." + ending) {
      let start = name.text.dropLast(ending.count)
      // `shared.weight` stands at the root of a model or beside its encoder.
      if let tensor = tensors[TensorName(start + other)] { return tensor }
    }
    return nil
  }
}
