// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Which tensors a recipe's module means.
///
/// `default` is the whole model. Other names are prefixes of tensor names, or the names that mergekit's users
/// know for the parts of multimodal and encoder-decoder models.
struct ModuleSelection {
  private let name: String

  init(_ name: String) { self.name = name }

  func contains(_ tensor: TensorName) -> Bool {
    if name == "default" || tensor.text.hasPrefix(name + ".") { return true }
    let parts = tensor.text.split(separator: ".").prefix(3)
    switch name {
    case "vision_tower", "vision_model": return isVision(parts)
    case "multi_modal_projector": return isProjector(parts)
    case "text_decoder": return !isVision(parts) && !isProjector(parts)
    case "encoder", "decoder": return parts.contains { $0 == name }
    case "shared":
      return !parts.contains { $0 == "encoder" || $0 == "decoder" }
    default: return false
    }
  }

  private func isVision(_ parts: ArraySlice<Substring>) -> Bool {
    parts.contains { $0.hasPrefix("vision") || $0 == "visual" } && !isProjector(parts)
  }

  private func isProjector(_ parts: ArraySlice<Substring>) -> Bool {
    parts.contains { $0.contains("projector") || $0 == "merger" }
  }
}

extension ModelLayout {
  /// Names under which parts of the model can be addressed as modules.
  var partNames: [String] { ["default"] + stacks.keys.sorted() }
}
