// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Brings the tensors of a model under the names that another one has for them.
///
/// Checkpoints of one architecture may differ in a prefix (`bert.`, `model.language_model.`) or in the spelling
/// of a word (`gamma`, `weight`): which of them mean the same is in `LayoutRules`. Only names that the other
/// model has and this one lacks are given away.
struct NameAlignment {
  /// The model's names for those that are to be used instead.
  let names: [TensorName: TensorName]

  init(of model: Checkpoint, to reference: Checkpoint) {
    var names: [TensorName: TensorName] = [:]
    if model.names != reference.names {
      var lacking = Set(reference.names).subtracting(model.names)
      for name in model.names where !lacking.isEmpty && reference.tensors[name] == nil {
        guard let other = Self.candidates(name.text).first(where: lacking.contains) else {
          continue
        }
        lacking.remove(other)
        names[name] = other
      }
    }
    self.names = names
  }

  /// Other names that may mean the same, likelier ones first.
  private static func candidates(_ name: String) -> [TensorName] {
    let spellings =
      [name]
      + LayoutRules.spellings.flatMap { a, b in
        [name.replacing(a, with: b), name.replacing(b, with: a)].filter { $0 != name }
      }
    return spellings.flatMap { spelling in
      (spelling == name ? [] : [spelling])
        + LayoutRules.prefixes.flatMap { a, b in
          [spelling.exchanging(prefix: a, for: b), spelling.exchanging(prefix: b, for: a)]
            .compactMap(\.self)
        }
    }.map { TensorName($0) }
  }
}

extension String {
  /// The text with another beginning; nil if it does not begin like that.
  fileprivate func exchanging(prefix: String, for other: String) -> String? {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : nil
  }

}

extension SourceModel {
  /// The model with the names that another one has for its tensors, where they differ.
  func aligned(to reference: Checkpoint) -> SourceModel {
    let names = NameAlignment(of: checkpoint, to: reference).names
    guard !names.isEmpty else { return self }
    var tensors: [TensorName: StoredTensor] = [:]
    for (name, tensor) in checkpoint.tensors {
      let name = names[name] ?? name
      tensors[name] = tensor.named(name)
    }
    var updates: [TensorName: TensorUpdate] = [:]
    for (name, update) in self.updates { updates[names[name] ?? name] = update }
    return replacing(tensors: tensors, updates: updates)
  }
}
