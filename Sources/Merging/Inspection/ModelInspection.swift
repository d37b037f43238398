// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// What a checkpoint is, told by its headers and config.json alone.
package struct ModelInspection: Sendable {
  /// Tensors that have something in common.
  package struct Group: Sendable {
    package let name: String
    package var tensorCount = 0
    package var parameterCount = 0
    package var byteCount = 0
  }

  /// Layers of the same build.
  package struct Stack: Sendable {
    /// What precedes the layers' numbers in the names of tensors.
    package let prefix: String
    package let layerCount: Int
    package let byteCount: Int
    /// How many different sets of tensors the layers have; 1 if all are built alike.
    package let kindCount: Int
    /// Whether slices are taken of it.
    package let isMain: Bool
  }

  /// What the configuration says of the output head, and what the files hold.
  package enum Head: String, Sendable {
    case own = "a matrix of its own"
    case tied = "the embedding"
    case tiedCopy = "the embedding, stored twice"
    case none = "none"
  }

  package let architectures: [String]
  package let modelType: String?
  package let parameterCount: Int
  package let byteCount: Int
  package let tensorCount: Int
  /// Largest first.
  package let dtypes: [Group]
  /// By the names' first parts, largest first.
  package let modules: [Group]
  /// Largest first.
  package let stacks: [Stack]
  /// Rows of the embedding; nil if the model has none.
  package let embeddingRows: Int?
  /// The number of tokens that config.json states.
  package let vocabularySize: Int?
  package let head: Head
  package let shards: [Checkpoint.Shard]

  package init(_ checkpoint: Checkpoint) {
    let tensors = checkpoint.names.compactMap { checkpoint.tensors[$0] }
    let layout = ModelLayout(checkpoint)
    architectures = checkpoint.config?.architectures ?? []
    modelType = checkpoint.config?.modelType
    parameterCount = checkpoint.parameterCount
    byteCount = checkpoint.byteCount
    tensorCount = tensors.count
    dtypes = Self.groups(tensors) { $0.storedDType.torchName }
    modules = Self.groups(tensors) { Self.module(of: $0.info.name, layout) }
    stacks = layout.stacks.values.map { stack in
      Stack(
        prefix: stack.prefix, layerCount: stack.layers.count, byteCount: stack.byteCount,
        kindCount: Set(stack.layers).count, isMain: stack.prefix == layout.mainStack?.prefix)
    }.sorted { ($1.byteCount, $0.prefix) < ($0.byteCount, $1.prefix) }
    embeddingRows = tensors.first { $0.info.name.isEmbedding }?.info.shape.first
    vocabularySize = checkpoint.config?.vocabularySize
    head = Self.head(checkpoint)
    shards = checkpoint.shards
  }

  private static func groups(_ tensors: [StoredTensor], by key: (StoredTensor) -> String)
    -> [Group]
  {
    var groups: [String: Group] = [:]
    for tensor in tensors {
      let name = key(tensor)
      var group = groups[name] ?? Group(name: name)
      group.tensorCount += 1
      group.parameterCount += tensor.info.elementCount
      group.byteCount += tensor.storedByteCount
      groups[name] = group
    }
    return groups.values.sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
  }

  /// The part of a layer that a tensor belongs to, such as `model.layers.*.mlp`; the name without its last part
  /// for one that belongs to no layer.
  private static func module(of name: TensorName, _ layout: ModelLayout) -> String {
    guard let layered = LayeredName(name), layout.stacks[layered.stack] != nil else {
      let parts = name.text.split(separator: ".")
      return parts.count > 1 ? parts.dropLast().joined(separator: ".") : name.text
    }
    let part = layered.suffix.split(separator: ".").first.map(String.init) ?? layered.suffix
    return "\(layered.stack).*.\(part)"
  }

  private static func head(_ checkpoint: Checkpoint) -> Head {
    let hasHead = checkpoint.names.contains(where: \.isOutputHead)
    if !checkpoint.ownHeads.isEmpty { return .own }
    if hasHead { return .tiedCopy }
    guard checkpoint.tiedEmbedding != nil else { return .none }
    return checkpoint.config?.tiesWordEmbeddings == true ? .tied : .none
  }
}
