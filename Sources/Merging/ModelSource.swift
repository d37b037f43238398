// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
package import SystemPackage
package import Weights

/// Where models come from: folders, or a hub. Merging knows no network.
package protocol ModelSource: Sendable {
  /// Finds a model and reads its headers, configuration and tokenizer files, but no weights.
  func model(_ reference: ModelReference) async throws -> SourceModel

  /// Makes the weights of a model readable in its checkpoint's folder.
  func fetchWeights(of model: SourceModel) async throws
}

/// A model as its source has found it.
package struct SourceModel: Sendable {
  package let reference: ModelReference
  package let checkpoint: Checkpoint
  /// Its id on the hub, `namespace/name`; nil for a folder.
  package let hubID: String?
  /// The commit that was read, 40 hexadecimal digits; nil for a folder.
  package let commit: String?

  package init(
    reference: ModelReference, checkpoint: Checkpoint, hubID: String? = nil, commit: String? = nil
  ) {
    self.reference = reference
    self.checkpoint = checkpoint
    self.hubID = hubID
    self.commit = commit
  }
}

/// Models that are folders on this machine.
package struct FolderSource: ModelSource {
  /// What relative paths are relative to; empty for the current folder.
  package let root: FilePath

  package init(root: FilePath = "") { self.root = root }

  /// The folder that a reference means, if there is one.
  package func folder(of reference: ModelReference) -> FilePath? {
    let path = root.pushing(FilePath(reference.path))
    return FileSystem.kind(path) == .folder ? path : nil
  }

  package func model(_ reference: ModelReference) async throws -> SourceModel {
    if reference.adapter != nil { throw ModelSourceError.adaptersNotSupported(reference) }
    guard let folder = folder(of: reference) else {
      throw ModelSourceError.notFound(reference)
    }
    return SourceModel(reference: reference, checkpoint: try Checkpoint(folder: folder))
  }

  package func fetchWeights(of model: SourceModel) async throws {}
}

package enum ModelSourceError: Error, Sendable {
  /// Neither a folder nor something that can be a hub id.
  case notFound(ModelReference)
  /// A reference with a LoRA.
  case adaptersNotSupported(ModelReference)
}
