// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
package import Weights

/// `hubmerge.lock`: what a merge was made from and what it made, exactly enough to make it again and to tell whether
/// a model is it.
package struct MergeLock: Hashable, Sendable {
  /// The file's name in the model's folder.
  package static let fileName = "hubmerge.lock"

  package struct File: Hashable, Sendable {
    /// Relative to the model's folder.
    package let name: String
    package let size: Int
    package let digest: ContentDigest
  }

  /// A model, or an adapter, that was read.
  package struct Source: Hashable, Sendable {
    /// As the recipe names it, without its adapter.
    package let model: String
    /// Nil for a folder.
    package let hubID: String?
    package let commit: String?
    /// The files that the merge has read, in the order of their names.
    package let files: [File]
  }

  /// A tensor of the output.
  package struct Tensor: Hashable, Sendable {
    package let name: TensorName
    package let digest: FastDigest
  }

  package let toolVersion: String
  /// SHA-256 of the recipe's text.
  package let recipe: Digest
  package let options: PlanOptions
  /// The seed that was used, whoever named it.
  package let seed: UInt64
  package let sources: [Source]
  /// The files of the output but for the card, the lock itself and the report, which may change afterwards.
  package let files: [File]
  /// In the order of the plan.
  package let tensors: [Tensor]

  package init(
    toolVersion: String, recipe: Digest, options: PlanOptions, seed: UInt64, sources: [Source],
    files: [File], tensors: [Tensor]
  ) {
    self.toolVersion = toolVersion
    self.recipe = recipe
    self.options = options
    self.seed = seed
    self.sources = sources
    self.files = files
    self.tensors = tensors
  }

  /// The options with the seed that was used.
  package var pinnedOptions: PlanOptions {
    var pinned = options
    pinned.seed = seed
    return pinned
  }

  /// The commits that the sources were read at, by the names that the recipe has for them.
  package var commits: [String: String] {
    Dictionary(
      sources.compactMap { source in source.commit.map { (source.model, $0) } },
      uniquingKeysWith: { first, _ in first })
  }
}

/// Why a lock and what it is held against do not go together.
package enum LockFault: Error, Hashable, Sendable {
  /// The file is no lock, or one of a later version.
  case malformed(String)
  /// The recipe is not the one that was locked.
  case otherRecipe
  /// A source that was locked is not among those of the recipe, or the other way round.
  case otherSources([String])
  /// A source is at another commit.
  case otherCommit(model: String, locked: String, found: String?)
  /// A file of a source has another content, or is missing.
  case otherFile(model: String, name: String)
  /// What was merged is not what was locked although everything that it was made from is.
  case otherResult(names: [String])
}
