// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
package import SystemPackage
package import Weights

/// A LoRA as PEFT writes it: adapter_config.json and one file of matrices, of which only the header is read.
package struct Adapter: Sendable {
  package let folder: FilePath
  package let config: AdapterConfig
  package let checkpoint: Checkpoint

  /// - Throws: `AdapterError`, `WeightsError` or `StorageError`.
  package init(folder: FilePath) throws {
    self.folder = folder
    do {
      let path = folder.appending("adapter_config.json")
      guard FileSystem.exists(path) else { throw AdapterFault.noConfig }
      config = try AdapterConfig(try FileSystem.read(path, limit: AdapterConfig.maximumSize))
      let names = ["adapter_model.safetensors", "adapter_model.bin"]
      guard let name = names.first(where: { FileSystem.exists(folder.appending($0)) }) else {
        throw AdapterFault.noWeights
      }
      checkpoint = try Checkpoint(file: folder.appending(name))
    } catch let fault as AdapterFault {
      throw AdapterError(path: folder, fault: fault)
    }
  }

  /// The model with this adapter: the adapter's file becomes one more shard of it, tensors that the adapter
  /// has whole are taken from there, and the others get their updates.
  ///
  /// - Parameter updates: What other adapters do to the model before.
  /// - Throws: `AdapterError` if any of the adapter's tensors would go unused.
  package func apply(to model: Checkpoint, after updates: [TensorName: TensorUpdate] = [:]) throws
    -> (checkpoint: Checkpoint, updates: [TensorName: TensorUpdate])
  {
    do {
      let model = model.withExperts(for: checkpoint, updates)
      var fitting = AdapterFitting(self, model, after: updates)
      try fitting.fit()
      let shard = checkpoint.shards[0]
      return (
        Checkpoint(
          folder: model.folder,
          config: fitting.untiesHead ? try model.config?.withOwnHead() : model.config,
          shards: model.shards
            + [.init(name: shard.name, size: shard.size, folder: checkpoint.folder)],
          tensors: fitting.tensors, isSingleFile: model.isSingleFile,
          quantizationTensors: model.quantizationTensors),
        fitting.updates
      )
    } catch let fault as AdapterFault {
      throw AdapterError(path: folder, fault: fault)
    }
  }
}

extension ModelConfig {
  /// The configuration of the same model with an output head that is not its embedding.
  fileprivate func withOwnHead() throws -> ModelConfig {
    let key = "tie_word_embeddings"
    let scopes = textScopes.filter { value(at: $0 + [key]) != nil }
    let edits = (scopes.isEmpty ? [[]] : scopes).map {
      JSONEdit.set(($0 + [key]).map(JSONPathComponent.key), to: .bool(false))
    }
    return try ModelConfig(document.applying(edits).bytes, path: "config.json")
  }
}
