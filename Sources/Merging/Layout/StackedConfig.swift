// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import Weights

/// The changes to config.json when a stack of the output has other layers than the donor's.
///
/// The number of layers is found by its value, arrays with one entry for each layer are put together from the
/// entries of the layers that were taken, lists of layer numbers are renumbered, rules about layer numbers are
/// checked against what the layers are.
package struct StackedConfig {
  /// Where a layer of the output comes from.
  package struct Origin: Sendable {
    package let config: ModelConfig
    package let layer: Int
    package let layerCount: Int
  }

  package struct Changes: Sendable {
    package var edits: [JSONEdit] = []
    /// What the configuration now says otherwise than it may seem.
    package var warnings: [String] = []
    /// What no configuration of this kind can say: the output would not load.
    package var refusals: [String] = []
  }

  private let donor: ModelConfig
  private let stack: String
  private let layerCount: Int
  private let origins: [Origin]

  /// - Parameters:
  ///   - stack: What precedes the number of a layer in the names of tensors.
  ///   - layerCount: How many layers the donor has.
  ///   - origins: One for each layer of the output.
  package init(
    donor: ModelConfig, stack: String = "model.layers", layerCount: Int, origins: [Origin]
  ) {
    self.donor = donor
    self.stack = stack
    self.layerCount = layerCount
    self.origins = origins
  }

  package func edits() -> Changes {
    var changes = Changes()
    guard
      let scope = scopes.last(where: { countKey($0) != nil }) ?? scopes.last(where: listsLayers)
    else {
      changes.warnings = ["config.json has no number of layers that could be changed"]
      return changes
    }
    let key = countKey(scope)
    if let key { changes.edits = [.set(path(scope, key), to: .int(origins.count))] }
    guard isRearranged else { return changes }
    for member in donor.value(at: scope)?.members ?? [] where member.key != key {
      if let entries = member.value.array {
        if LayoutRules.layerLists.contains(member.key) {
          changes.edits.append(.set(path(scope, member.key), to: numberList(scope, member.key)))
        } else if entries.count == layerCount
          || LayoutRules.cyclicLists.contains(member.key) && !entries.isEmpty
        {
          changes.edits.append(
            .set(path(scope, member.key), to: perLayer(scope, member.key, entries)))
        }
      } else if let text = member.value.string, LayoutRules.layerTexts.contains(member.key),
        text.count == layerCount
      {
        changes.edits.append(
          .set(path(scope, member.key), to: .string(perLayer(scope, member.key, text))))
      } else if let value = member.value.int,
        let rule = LayoutRules.layerRules.first(where: { $0.key == member.key })
      {
        apply(rule, value, scope, &changes)
      }
    }
    return changes
  }

  /// The objects of config.json that may describe the stack, outermost first.
  private var scopes: [[String]] {
    for part in LayoutRules.partScopes
    where stack.split(separator: ".").contains(where: { $0.hasPrefix(part.name) }) {
      return [[], [part.scope]].filter { donor.value(at: $0) != nil }
    }
    return donor.textScopes
  }

  /// Whether any layer is not where it was in the donor.
  private var isRearranged: Bool {
    origins.count != layerCount || origins.enumerated().contains { $0 != $1.layer }
      || origins.contains { $0.config.json != donor.json }
  }

  private func countKey(_ scope: [String]) -> String? {
    LayoutRules.layerCountKeys(stack).first {
      donor.value(at: scope + [$0])?.int == layerCount
    }
  }

  /// Whether a list with an entry for each layer tells how many there are.
  private func listsLayers(_ scope: [String]) -> Bool {
    (donor.value(at: scope)?.members ?? []).contains { member in
      member.key.contains("layer") && !LayoutRules.layerLists.contains(member.key)
        && member.value.array?.count == layerCount
    }
  }

  private func path(_ scope: [String], _ key: String) -> [JSONPathComponent] {
    (scope + [key]).map(JSONPathComponent.key)
  }

  // MARK: Lists

  private func perLayer(_ scope: [String], _ key: String, _ entries: [JSON]) -> JSON {
    .array(
      origins.map { origin in
        let own = origin.config.value(at: scope + [key])?.array
        let list = own.flatMap { $0.isEmpty ? nil : $0 } ?? entries
        if LayoutRules.cyclicLists.contains(key) { return list[origin.layer % list.count] }
        if list.count == origin.layerCount { return list[origin.layer] }
        return entries[min(origin.layer, entries.count - 1)]
      })
  }

  /// The letters of the layers that were taken.
  private func perLayer(_ scope: [String], _ key: String, _ text: String) -> String {
    String(
      origins.map { origin in
        let own = origin.config.value(at: scope + [key])?.string
        let letters = Array(own.flatMap { $0.count == origin.layerCount ? $0 : nil } ?? text)
        return letters[min(origin.layer, letters.count - 1)]
      })
  }

  private func numberList(_ scope: [String], _ key: String) -> JSON {
    .array(
      origins.enumerated().compactMap { index, origin in
        let own = origin.config.value(at: scope + [key])?.array ?? []
        return own.contains { $0.int == origin.layer } ? .int(index) : nil
      })
  }

  // MARK: Rules

  /// Sees to it that a rule says of each layer what it said where the layer comes from.
  private func apply(
    _ rule: LayerRule, _ value: Int, _ scope: [String], _ changes: inout Changes
  ) {
    if let list = rule.list, donor.value(at: scope + [list])?.array != nil { return }
    let wanted = origins.map { origin in
      let own = origin.config.value(at: scope + [rule.key])?.int ?? value
      return rule.holds(origin.layer, own) { origin.config.value(at: scope + [$0])?.int }
    }
    func agrees(_ value: Int) -> Bool {
      wanted.indices.allSatisfy { layer in
        rule.holds(layer, value) { donor.value(at: scope + [$0])?.int } == wanted[layer]
      }
    }
    if agrees(value) { return }
    let leading = wanted.prefix { $0 }.count
    if case .below = rule.kind, agrees(leading) {
      changes.edits.append(.set(path(scope, rule.key), to: .int(leading)))
      changes.warnings.append(
        "\(rule.key) in config.json is \(leading) instead of \(value), after the layers taken")
      return
    }
    let reason =
      "\(rule.key) = \(value) in config.json is a rule about layer numbers, and cannot say "
      + "what the layers taken are"
    if rule.isStructural {
      changes.refusals.append(reason)
    } else {
      changes.warnings.append(reason)
    }
  }
}

extension LayerRule {
  /// Whether a layer is of the first kind.
  func holds(_ layer: Int, _ value: Int, _ setting: (String) -> Int?) -> Bool {
    switch kind {
    case .below: layer < value
    case .every(let offset): value > 0 && (layer - offset) % value == 0
    case .everyFrom(let key):
      // Whatever the file says: a difference that overflows is no multiple of anything.
      if case (let distance, false) = layer.subtractingReportingOverflow(setting(key) ?? 0) {
        value > 0 && distance % value == 0
      } else {
        false
      }
    }
  }
}
