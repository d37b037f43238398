// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

/// How a checkpoint keeps the experts of its layers.
enum ExpertLayout: Hashable {
  /// Each matrix of each expert is a tensor of its own: `experts.3.up_proj.weight`.
  case apart(LayoutRules.ExpertNames)
  /// `experts.gate_up_proj` and `experts.down_proj` hold those of all experts of a layer.
  case fused(FusedExperts)

  /// Nil if the checkpoint has no experts, or in a way that is not known.
  init?(_ checkpoint: Checkpoint) {
    var hasExperts = false
    for name in checkpoint.names where name.text.utf8.count > 16 {
      guard name.hasSuffix(FusedExperts.gateUp) else {
        hasExperts = hasExperts || name.text.contains(".experts.0.")
        continue
      }
      guard let fused = FusedExperts(name, in: checkpoint) else { continue }
      self = .fused(fused)
      return
    }
    let apart = LayoutRules.experts.first { names in
      hasExperts
        && checkpoint.names.contains {
          $0.hasSuffix(".experts.0.\(names.gate).weight")
            && $0.text.contains(".\(names.block).experts.0.")
        }
    }
    guard let apart else { return nil }
    self = .apart(apart)
  }
}

/// The order of numbers in tensors that hold the matrices of all experts of a layer.
///
/// `gate_up_proj` has the shape [experts, 2 · inner, hidden] and `down_proj` [experts, hidden, inner]; or both have
/// their last two axes exchanged.
struct FusedExperts: Hashable {
  static let gateUp = ".experts.gate_up_proj"
  static let down = ".experts.down_proj"

  /// The part of the layer that holds the experts.
  let block: String
  /// Whether the last two axes are exchanged.
  let isTransposed: Bool
  /// Whether the numbers of gate and up come by turns instead of one after the other.
  let isInterleaved: Bool

  /// - Parameter name: That of a `gate_up_proj`.
  init?(_ name: TensorName, in checkpoint: Checkpoint) {
    let layer = String(name.text.dropLast(Self.gateUp.count))
    guard let size = FusedSize(layer, in: checkpoint.tensors) else { return nil }
    block = layer.split(separator: ".").last.map(String.init) ?? layer
    isTransposed = size.isTransposed
    isInterleaved =
      checkpoint.config.map { config in
        (config.textScopes.compactMap { config.value(at: $0 + ["model_type"])?.string }).contains {
          LayoutRules.interleavedExperts.contains($0)
        }
      } ?? false
  }
}

/// The lengths of the axes of a layer's fused experts.
struct FusedSize {
  let experts: Int
  let inner: Int
  let hidden: Int
  let isTransposed: Bool

  /// - Parameter layer: What precedes `.experts`.
  init?(_ layer: String, in tensors: [TensorName: StoredTensor]) {
    guard let a = tensors[TensorName(layer + FusedExperts.gateUp)]?.info.shape,
      let b = tensors[TensorName(layer + FusedExperts.down)]?.info.shape,
      a.count == 3, b.count == 3, a[0] == b[0], a[0] > 0
    else { return nil }
    experts = a[0]
    // Never both: a length would have to be twice itself.
    if a[1] == 2 * b[2], a[2] == b[1] {
      (inner, hidden, isTransposed) = (b[2], b[1], false)
    } else if a[2] == 2 * b[1], a[1] == b[2] {
      (inner, hidden, isTransposed) = (b[1], b[2], true)
    } else {
      return nil
    }
  }
}
