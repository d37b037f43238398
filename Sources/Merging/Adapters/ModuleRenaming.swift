// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The ways in which the same modules are called in a checkpoint and in the model that was trained.
struct ModuleRenaming {
  /// The first prefix that a path has is exchanged.
  private let prefixes: [(from: String, to: String)]

  static let none = ModuleRenaming(prefixes: [])
  static let all: [ModuleRenaming] = [
    .none,
    ModuleRenaming(prefixes: [
      ("model.language_model.", "language_model.model."), ("lm_head", "language_model.lm_head"),
      ("model.", ""),
    ]),
    ModuleRenaming(prefixes: [
      ("language_model.model.", "model.language_model."), ("language_model.lm_head", "lm_head"),
      ("", "model."),
    ]),
    ModuleRenaming(prefixes: [("model.", "")]),
    ModuleRenaming(prefixes: [("lm_head", "lm_head"), ("", "model.")]),
    ModuleRenaming(prefixes: [("transformer.", "")]),
    ModuleRenaming(prefixes: [("lm_head", "lm_head"), ("", "transformer.")]),
  ]

  func apply(_ path: String) -> String {
    guard let prefix = prefixes.first(where: { path.hasPrefix($0.from) }) else { return path }
    return prefix.to + path.dropFirst(prefix.from.count)
  }
}
