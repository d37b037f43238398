// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import Storage
package import SystemPackage
package import Weights

/// Where models come from: folders, or a hub. Merging knows no network.
package protocol ModelSource: Sendable {
  /// Finds a model and reads its headers, configuration and tokenizer files, but no weights.
  func model(_ reference: ModelReference) async throws -> SourceModel

  /// Makes the weights of a model readable in its checkpoint's folder.
  func fetchWeights(of model: SourceModel) async throws
}

/// Shards that are read where they are, a range at a time, instead of being fetched first.
package protocol RemoteShards: Sendable {
  func open(_ shard: Checkpoint.Shard) throws -> any ByteSource
}

/// A model as its source has found it.
package struct SourceModel: Sendable {
  package let reference: ModelReference
  package let checkpoint: Checkpoint
  /// Its id on the hub, `namespace/name`; nil for a folder.
  package let hubID: String?
  /// The commit that was read, 40 hexadecimal digits; nil for a folder.
  package let commit: String?
  /// The adapter that the reference names.
  package private(set) var adapter: SourceAdapter?
  /// What the reference's adapter does to the tensors, by their names.
  package private(set) var updates: [TensorName: TensorUpdate] = [:]
  /// Where the shards are read; nil for files in the checkpoint's folder.
  package var remote: (any RemoteShards)?
  /// What the user should know about the model.
  package private(set) var warnings: [String] = []

  package init(
    reference: ModelReference, checkpoint: Checkpoint, hubID: String? = nil, commit: String? = nil
  ) {
    self.reference = reference
    self.checkpoint = checkpoint
    self.hubID = hubID
    self.commit = commit
  }

  /// The model with an adapter, whose file then belongs to its checkpoint.
  ///
  /// - Parameters:
  ///   - adapterID: The adapter's id on the hub; nil for a folder.
  ///   - adapterCommit: The commit of it that was read.
  /// - Throws: `AdapterError` if the adapter does not fit.
  package func adapted(
    by adapter: Adapter, hubID adapterID: String? = nil, commit adapterCommit: String? = nil
  ) throws -> SourceModel {
    let (checkpoint, updates) = try adapter.apply(to: checkpoint)
    var model = SourceModel(
      reference: reference, checkpoint: checkpoint, hubID: hubID, commit: commit)
    model.adapter = SourceAdapter(
      folder: adapter.folder, hubID: adapterID, commit: adapterCommit, rank: adapter.config.rank,
      alpha: adapter.config.alpha)
    model.updates = updates
    model.remote = remote
    if let initialization = adapter.config.initialization {
      model.warnings.append(
        "the adapter of \(reference) was initialised with \(initialization): unless it was "
          + "converted when it was saved, it fits only the residual model of its training")
    }
    return model
  }

  /// Opens a shard for reading.
  ///
  /// - Throws: `MergeError.inputChanged` if the file is not as long as it was.
  func open(shard index: Int) throws -> any ByteSource {
    let shard = checkpoint.shards[index]
    if let remote, shard.folder == nil { return try remote.open(shard) }
    let file = try File(checkpoint.path(of: shard), .read)
    guard try file.size == shard.size else { throw MergeError.inputChanged(file.path) }
    return file
  }

  /// The same model with other names for, or views of, its tensors, or with its shards in another place.
  func replacing(
    shards: [Checkpoint.Shard]? = nil, tensors: [TensorName: StoredTensor],
    updates: [TensorName: TensorUpdate]
  ) -> SourceModel {
    var model = SourceModel(
      reference: reference,
      checkpoint: Checkpoint(
        folder: checkpoint.folder, config: checkpoint.config, shards: shards ?? checkpoint.shards,
        tensors: tensors, isSingleFile: checkpoint.isSingleFile), hubID: hubID, commit: commit)
    model.adapter = adapter
    model.updates = updates
    model.remote = remote
    model.warnings = warnings
    return model
  }
}

/// The adapter of a model as its source has found it.
package struct SourceAdapter: Hashable, Sendable {
  package let folder: FilePath
  /// Its id on the hub; nil for a folder.
  package let hubID: String?
  package let commit: String?
  package let rank: Int?
  package let alpha: Double
}

/// Models that are folders on this machine.
package struct FolderSource: ModelSource {
  /// What relative paths are relative to; empty for the current folder.
  package let root: FilePath

  package init(root: FilePath = "") { self.root = root }

  /// The folder that a reference means, if there is one.
  package func folder(of reference: ModelReference) -> FilePath? { folder(reference.path) }

  /// The folder of an adapter, if there is one.
  package func folder(of adapter: ModelReference.Adapter) -> FilePath? { folder(adapter.path) }

  private func folder(_ path: String) -> FilePath? {
    let path = root.pushing(FilePath(path))
    return FileSystem.kind(path) == .folder ? path : nil
  }

  /// The model that a reference means without its adapter: a folder, or a single file of weights.
  ///
  /// - Returns: nil if there is neither.
  package func baseModel(_ reference: ModelReference) throws -> SourceModel? {
    if let folder = folder(of: reference) {
      return SourceModel(reference: reference, checkpoint: try Checkpoint(folder: folder))
    }
    let path = root.pushing(FilePath(reference.path))
    guard FileSystem.kind(path) == .file else { return nil }
    return SourceModel(reference: reference, checkpoint: try Checkpoint(file: path))
  }

  package func model(_ reference: ModelReference) async throws -> SourceModel {
    guard let model = try baseModel(reference) else { throw ModelSourceError.notFound(reference) }
    guard let adapter = reference.adapter else { return model }
    guard let folder = folder(of: adapter) else {
      throw ModelSourceError.adapterNotFound(reference)
    }
    return try model.adapted(by: Adapter(folder: folder))
  }

  package func fetchWeights(of model: SourceModel) async throws {}
}

package enum ModelSourceError: Error, Sendable {
  /// Neither a folder nor something that can be a hub id.
  case notFound(ModelReference)
  /// The same of the adapter that the reference names.
  case adapterNotFound(ModelReference)
}
