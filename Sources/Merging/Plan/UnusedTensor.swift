// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// A tensor of an input that nothing of the output is made of.
package struct UnusedTensor: Hashable, Sendable {
  /// Why a tensor is left out.
  package enum Reason: String, Sendable, CaseIterable {
    /// The configuration says that the output head is the embedding, so this copy of it is not read.
    case tiedHead = "the output head is the embedding"
    /// Its layer is in no slice.
    case layerNotTaken = "in layers that are not taken"
    /// It belongs to no layer, and that part of the output is made of other sources.
    case takenFromOthers = "taken from another source"
    /// A table that the model's code computes again.
    case buffer = "computed again when the model is loaded"
    /// It belongs to a quantisation that is undone.
    case quantization = "only for quantised weights"
    /// The model is not merged, it gives its configuration or tokenizer.
    case notMerged = "of models that give only settings"
    /// The models that it would be merged with do not have it.
    case noCounterpart = "no counterpart in the other models"
  }

  /// Index of the model in the plan.
  package let model: Int
  package let name: TensorName
  package let reason: Reason
}

extension Planner {
  /// Every tensor of every input that no step reads, with the reason; what is lost is warned of.
  mutating func unusedTensors(_ assembly: Assembly) -> [UnusedTensor] {
    var used = [Set<TensorName>](repeating: [], count: models.count)
    for input in assembly.steps.lazy.flatMap(\.inputs) {
      used[input.model].insert(input.tensor.info.name)
      if input.isPlain { continue }
      input.forEachRead { model, tensor in used[model].insert(tensor.info.name) }
    }
    let outputs = Set(assembly.steps.map(\.output.name))
    var unused: [UnusedTensor] = []
    for (index, model) in models.enumerated() {
      for name in model.checkpoint.names where !used[index].contains(name) {
        let reason: UnusedTensor.Reason
        if used[index].isEmpty {
          reason = .notMerged
        } else if name.isOutputHead,
          !(outputs.contains(name) && model.checkpoint.ownHeads.contains(name))
        {
          reason = .tiedHead
        } else if name.isBuffer {
          reason = .buffer
        } else if let isTaken = assembly.takesLayer(of: name, from: index) {
          reason = isTaken ? .noCounterpart : .layerNotTaken
        } else {
          reason = outputs.contains(name) ? .takenFromOthers : .noCounterpart
        }
        unused.append(UnusedTensor(model: index, name: name, reason: reason))
      }
      for name in model.checkpoint.quantizationTensors where !used[index].contains(name) {
        unused.append(UnusedTensor(model: index, name: name, reason: .quantization))
      }
      warn(of: unused.filter { $0.model == index && $0.reason == .noCounterpart }, index, assembly)
    }
    return unused
  }

  private mutating func warn(
    of lost: [UnusedTensor], _ model: Int, _ assembly: Assembly
  ) {
    guard !lost.isEmpty else { return }
    let missing =
      model == assembly.donor
      ? "have no counterpart in the models they would be merged with"
      : "are not in \(models[assembly.donor].reference)"
    findings.warning(
      "\(lost.count) tensors of \(models[model].reference) \(missing) and are left out: "
        + list(lost.map(\.name)), at: node(of: models[model].reference))
  }
}

extension Assembly {
  /// Whether the layer that a tensor belongs to is in some slice; nil if it belongs to none that slices are
  /// taken of.
  fileprivate func takesLayer(of name: TensorName, from model: Int) -> Bool? {
    guard let layered = LayeredName(name) else { return nil }
    let sources = stackings.flatMap(\.sources).filter {
      $0.model == model && $0.stack == layered.stack
    }
    guard !sources.isEmpty || stackings.contains(where: { $0.prefix == layered.stack }) else {
      return nil
    }
    return sources.contains { $0.layers.contains(layered.layer) }
  }
}
