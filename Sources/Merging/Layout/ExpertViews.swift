// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Views of the matrices of single experts in tensors that hold those of all experts of a layer.
///
/// A fused checkpoint has `experts.gate_up_proj` of shape [experts, 2 · inner, hidden] and `experts.down_proj` of
/// [experts, hidden, inner]. The matrix of one expert lies side by side in them, so a view is a range of bytes.
struct ExpertViews {
  private static let fusedGateUp = ".experts.gate_up_proj"
  private static let fusedDown = ".experts.down_proj"

  /// The names by which a checkpoint keeps its experts apart; nil if it does not.
  static func names(in checkpoint: Checkpoint) -> LayoutRules.ExpertNames? {
    LayoutRules.experts.first { names in
      checkpoint.names.contains {
        $0.text.contains(".\(names.block).experts.0.") && $0.text.hasSuffix(".0." + names.gate)
      }
    }
  }

  static func isFused(_ checkpoint: Checkpoint) -> Bool {
    checkpoint.names.contains { $0.text.hasSuffix(fusedGateUp) }
  }

  /// The tensors of a model with a view for each matrix of each expert in place of the fused ones.
  ///
  /// Fused tensors of another order, or that an adapter changes, are left as they are.
  static func tensors(of model: SourceModel, as names: LayoutRules.ExpertNames)
    -> [TensorName: StoredTensor]
  {
    var tensors = model.checkpoint.tensors
    for (name, tensor) in model.checkpoint.tensors where name.text.hasSuffix(fusedGateUp) {
      let layer = String(name.text.dropLast(fusedGateUp.count))
      let downName = TensorName(layer + fusedDown)
      guard let down = tensors[downName], model.updates[name] == nil,
        model.updates[downName] == nil, let views = views(tensor, down, layer, names)
      else { continue }
      tensors[name] = nil
      tensors[downName] = nil
      for view in views { tensors[view.info.name] = view }
    }
    return tensors
  }

  private static func views(
    _ gateUp: StoredTensor, _ down: StoredTensor, _ layer: String,
    _ names: LayoutRules.ExpertNames
  ) -> [StoredTensor]? {
    let (a, b) = (gateUp.info.shape, down.info.shape)
    guard a.count == 3, b.count == 3, a[0] == b[0], a[1] == 2 * b[2], a[2] == b[1],
      gateUp.strides == nil, down.strides == nil
    else { return nil }
    let (inner, hidden) = (b[2], b[1])
    var block = layer
    if let dot = layer.lastIndex(of: ".") { block = layer[...dot] + names.block }
    return (0..<a[0]).flatMap { expert in
      let prefix = "\(block).experts.\(expert)."
      return [
        gateUp.view(prefix + names.gate, at: 2 * expert, shape: [inner, hidden]),
        gateUp.view(prefix + names.up, at: 2 * expert + 1, shape: [inner, hidden]),
        down.view(prefix + names.down, at: expert, shape: [hidden, inner]),
      ]
    }
  }
}

extension StoredTensor {
  /// The matrix with the given number among equal ones that lie one after the other.
  fileprivate func view(_ name: String, at number: Int, shape: [Int]) -> StoredTensor {
    let info = TensorInfo(name: TensorName(name), dtype: info.dtype, shape: shape)
    let start = range.lowerBound + number * info.byteCount
    return StoredTensor(info: info, shard: shard, range: start..<start + info.byteCount)
  }
}

extension [SourceModel] {
  /// The models in one layout: experts kept apart if any model keeps them apart, names as `reference` has them.
  func aligned(to reference: Int) -> [SourceModel] {
    var models = self
    if models.contains(where: { ExpertViews.isFused($0.checkpoint) }),
      let names = models.lazy.compactMap({ ExpertViews.names(in: $0.checkpoint) }).first
    {
      models = models.map { model in
        guard ExpertViews.isFused(model.checkpoint) else { return model }
        return model.replacing(
          tensors: ExpertViews.tensors(of: model, as: names), updates: model.updates)
      }
    }
    let checkpoint = models[reference].checkpoint
    return models.map { $0.aligned(to: checkpoint) }
  }
}
