// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

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
      config = try AdapterConfig(try FileSystem.read(path))
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
  /// - Throws: `AdapterError` if any of the adapter's tensors would go unused.
  package func apply(to model: Checkpoint) throws
    -> (checkpoint: Checkpoint, updates: [TensorName: TensorUpdate])
  {
    do throws(AdapterFault) {
      var fitting = AdapterFitting(self, model)
      try fitting.fit()
      let shard = checkpoint.shards[0]
      return (
        Checkpoint(
          folder: model.folder, config: model.config,
          shards: model.shards
            + [.init(name: shard.name, size: shard.size, folder: checkpoint.folder)],
          tensors: fitting.tensors, isSingleFile: model.isSingleFile),
        fitting.updates
      )
    } catch {
      throw AdapterError(path: folder, fault: error)
    }
  }
}
