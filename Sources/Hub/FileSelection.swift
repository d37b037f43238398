// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Which files of a repository are wanted.
package struct FileSelection: Sendable {
  /// Patterns of which one must match; none means all files.
  package var include: [GlobPattern]
  /// Patterns of which none may match.
  package var exclude: [GlobPattern]
  /// Whether only one set of weights is taken, and of the rest only what a merge needs.
  package var isForMerging = false

  package init(include: [String] = [], exclude: [String] = []) {
    self.include = include.map(GlobPattern.init)
    self.exclude = exclude.map(GlobPattern.init)
  }

  package static let everything = FileSelection()

  /// What a merge reads: one set of weights, safetensors rather than pickled ones, and the small files
  /// around it (config, tokenizer, templates, code, card, licence).
  package static let forMerging: FileSelection = {
    var selection = FileSelection()
    selection.isForMerging = true
    return selection
  }()

  /// Whether the patterns let a path through.
  package func admits(_ path: String) -> Bool {
    (include.isEmpty || include.contains { $0.matches(path) })
      && !exclude.contains { $0.matches(path) }
  }

  /// The wanted ones of a repository's files.
  package func select(from files: [TreeEntry]) -> [TreeEntry] {
    let admitted = files.filter { admits($0.path) }
    return isForMerging ? MergeFiles(admitted.map(\.path)).filter(admitted) : admitted
  }
}

/// The rules of the selection for merging.
private struct MergeFiles {
  private let weights: Set<String>
  private let usesSafetensors: Bool

  private static let smallSuffixes = [
    ".json", ".jsonl", ".txt", ".model", ".tiktoken", ".vocab", ".bpe", ".jinja", ".py", ".md",
    ".yaml", ".yml", ".toml",
  ]
  private static let bareNames: Set<String> = ["LICENSE", "LICENCE", "NOTICE", "USE_POLICY"]

  /// The kinds of weights, the preferred ones first.
  private static let kinds: [[GlobPattern]] = [
    ["*.safetensors"], ["pytorch_model*.bin", "adapter_model*.bin", "model*.bin"],
    ["*.pt", "*.pth", "*.ckpt"],
  ].map { $0.map(GlobPattern.init) }

  init(_ paths: [String]) {
    let candidates = paths.filter { !$0.hasPrefix("original/") }
    // Another copy of the same weights in the format of their first publisher.
    let own = candidates.filter { !Self.name($0).hasPrefix("consolidated.") }
    let chosen = Self.first(in: own) ?? Self.first(in: candidates) ?? []
    // Folders hold checkpoints of the training and other formats.
    let atRoot = chosen.filter { !$0.contains("/") }
    weights = Set(atRoot.isEmpty ? chosen : atRoot)
    usesSafetensors = chosen.contains { $0.hasSuffix(".safetensors") }
  }

  private static func first(in paths: [String]) -> [String]? {
    for patterns in kinds {
      let found = paths.filter { path in patterns.contains { $0.matches(name(path)) } }
      if !found.isEmpty { return found }
    }
    return nil
  }

  private static func name(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  func filter(_ files: [TreeEntry]) -> [TreeEntry] {
    files.filter { file in
      if weights.contains(file.path) { return true }
      if file.path.hasPrefix("original/") { return false }
      if usesSafetensors, file.path.hasSuffix(".bin.index.json") { return false }
      let name = Self.name(file.path)
      return Self.smallSuffixes.contains { name.hasSuffix($0) } || Self.bareNames.contains(name)
    }
  }
}
