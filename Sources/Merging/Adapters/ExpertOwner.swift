// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The experts of a layer in a checkpoint that keeps them apart, as what an adapter of their fused tensors changes.
///
/// Models that are loaded have the matrices of all experts of a layer in two tensors, and adapters are trained on
/// these; most checkpoints have a tensor for each matrix.
struct ExpertOwner {
  /// What precedes the number of an expert.
  private let path: String
  private let names: LayoutRules.ExpertNames
  private let count: Int

  /// The owners of a checkpoint by the paths that their module may have when the model is loaded.
  static func all(in checkpoint: Checkpoint) -> [String: ExpertOwner] {
    guard case .apart(let names) = ExpertLayout(checkpoint) else { return [:] }
    let ending = ".\(names.block).experts.0.\(names.gate).weight"
    var owners: [String: ExpertOwner] = [:]
    for name in checkpoint.names where name.hasSuffix(ending) {
      let layer = String(name.text.dropLast(ending.count))
      let path = "\(layer).\(names.block).experts"
      var count = 0
      while checkpoint.tensors[TensorName("\(path).\(count).\(names.gate).weight")] != nil {
        count += 1
      }
      let owner = ExpertOwner(path: path, names: names, count: count)
      owners[path] = owner
      owners["\(layer).mlp.experts"] = owner
    }
    return owners
  }

  /// The products for the single experts' matrices.
  ///
  /// The rows of `down` belong to one expert after the other, the columns of `up` to one and the next by turns;
  /// of gate and up together the first half of `up`'s rows is gate's.
  func products(
    _ module: String, _ down: StoredTensor, _ up: StoredTensor,
    of tensors: [TensorName: StoredTensor], _ config: AdapterConfig
  ) throws(AdapterFault) -> [(name: TensorName, product: LowRankProduct)] {
    let (a, b) = (down.info.matrixShape, up.info.matrixShape)
    guard count > 0, a.rows == b.columns, a.rows > 0, a.rows % count == 0,
      let gate = tensors[TensorName("\(path).0.\(names.gate).weight")]?.info.matrixShape
    else { throw .unused([module]) }
    let halves: [String]
    if a.columns == gate.columns, b.rows == 2 * gate.rows {
      halves = [names.gate, names.up]
    } else if a.columns == gate.rows, b.rows == gate.columns {
      halves = [names.down]
    } else {
      throw .shape(
        module, adapter: down.info.shape + up.info.shape, model: [count, gate.rows, gate.columns])
    }
    let rank = a.rows / count
    let scale = try config.scale(of: module, rank: rank)
    let height = b.rows / halves.count
    let (downStrides, upStrides) = (down.allStrides, up.allStrides)
    var products: [(name: TensorName, product: LowRankProduct)] = []
    for expert in 0..<count {
      let ownDown = down.view(
        as: down.info.name, at: expert * rank * downStrides[0], shape: [rank, a.columns],
        strides: downStrides)
      for (half, part) in halves.enumerated() {
        let ownUp = up.view(
          as: up.info.name, at: half * height * upStrides[0] + expert * upStrides[1],
          shape: [height, rank], strides: [upStrides[0], count * upStrides[1]])
        guard let ownDown, let ownUp else { throw .unused([module]) }
        products.append(
          (
            TensorName("\(path).\(expert).\(part).weight"),
            LowRankProduct(down: ownDown, up: ownUp, scale: scale)
          ))
      }
    }
    return products
  }
}

extension Checkpoint {
  /// The checkpoint with its experts seen apart if an adapter was trained on them apart and they are fused here.
  func withExperts(for adapter: Checkpoint, _ updates: [TensorName: TensorUpdate]) -> Checkpoint {
    guard let layout = ExpertLayout(self), case .fused(let fused) = layout, !fused.isTransposed,
      let names = LayoutRules.experts.first(where: { names in
        names.block == fused.block
          && adapter.names.contains { $0.text.contains(".\(names.block).experts.0.\(names.gate).") }
      })
    else { return self }
    return Checkpoint(
      folder: folder, config: config, shards: shards,
      tensors: ExpertViews.tensors(of: self, updates, from: layout, to: .apart(names)),
      isSingleFile: isSingleFile, quantizationTensors: quantizationTensors)
  }
}
