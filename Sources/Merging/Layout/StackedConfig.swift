// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import Weights

/// The changes to config.json when the output has other layers than the donor.
///
/// The number of layers is found by its value, arrays with one entry for each layer are put together from the
/// entries of the layers that were taken, lists of layer numbers are renumbered.
package struct StackedConfig {
  /// Where a layer of the output comes from.
  package struct Origin: Sendable {
    package let config: ModelConfig
    package let layer: Int
    package let layerCount: Int
  }

  private let donor: ModelConfig
  private let layerCount: Int
  private let origins: [Origin]

  /// - Parameters:
  ///   - layerCount: How many layers the donor has.
  ///   - origins: One for each layer of the output.
  package init(donor: ModelConfig, layerCount: Int, origins: [Origin]) {
    self.donor = donor
    self.layerCount = layerCount
    self.origins = origins
  }

  private static let countKeys = ["num_hidden_layers", "n_layer", "n_layers", "num_layers", "depth"]
  private static let numberListKeys = [
    "mlp_only_layers", "full_attn_idxs", "attn_layer_indices", "global_attn_every_n_layers_list",
    "cross_attention_layers", "full_attention_layers",
  ]
  private static let ruleKeys = [
    "first_k_dense_replace", "decoder_sparse_step", "interleave_moe_layer_step",
    "sliding_window_pattern", "moe_layer_freq", "attn_layer_period", "expert_layer_period",
    "no_rope_layer_interval",
  ]

  /// The edits, and what they cannot express.
  package func edits() -> (edits: [JSONEdit], warnings: [String]) {
    guard let scope = donor.textScopes.last(where: { countKey(in: donor, $0) != nil }),
      let key = countKey(in: donor, scope)
    else {
      return ([], ["config.json has no number of layers that could be changed"])
    }
    var edits: [JSONEdit] = [.set(path(scope, key), to: .int(origins.count))]
    var warnings: [String] = []
    guard isRearranged else { return (edits, []) }
    for member in donor.value(at: scope)?.members ?? [] where member.key != key {
      if let entries = member.value.array {
        if Self.numberListKeys.contains(member.key) {
          edits.append(.set(path(scope, member.key), to: numberList(scope, member.key)))
        } else if entries.count == layerCount {
          edits.append(.set(path(scope, member.key), to: perLayer(scope, member.key, entries)))
        }
      } else if let value = member.value.int {
        if member.key == "max_window_layers", value >= layerCount {
          edits.append(.set(path(scope, member.key), to: .int(origins.count)))
        } else if Self.ruleKeys.contains(member.key), value > 1 {
          warnings.append(
            "\(member.key) = \(value) in config.json is a rule about layer numbers, which now "
              + "mean other layers")
        }
      }
    }
    return (edits, warnings)
  }

  /// Whether any layer is not where it was in the donor.
  private var isRearranged: Bool {
    origins.count != layerCount || origins.enumerated().contains { $0 != $1.layer }
      || origins.contains { $0.config.json != donor.json }
  }

  private func countKey(in config: ModelConfig, _ scope: [String]) -> String? {
    Self.countKeys.first { config.value(at: scope + [$0])?.int == layerCount }
  }

  private func path(_ scope: [String], _ key: String) -> [JSONPathComponent] {
    (scope + [key]).map(JSONPathComponent.key)
  }

  private func perLayer(_ scope: [String], _ key: String, _ entries: [JSON]) -> JSON {
    .array(
      origins.map { origin in
        let own = origin.config.value(at: scope + [key])?.array
        if let own, own.count == origin.layerCount { return own[origin.layer] }
        return entries[min(origin.layer, entries.count - 1)]
      })
  }

  private func numberList(_ scope: [String], _ key: String) -> JSON {
    .array(
      origins.enumerated().compactMap { index, origin in
        let own = origin.config.value(at: scope + [key])?.array ?? []
        return own.contains { $0.int == origin.layer } ? .int(index) : nil
      })
  }
}
