// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
package import SystemPackage

/// A model on disk as its headers tell it: config.json, shards and the tensors in them. No weight is read.
package struct Checkpoint: Sendable {
  package struct Shard: Hashable, Sendable {
    package let name: String
    package let size: Int
    package init(name: String, size: Int) {
      self.name = name
      self.size = size
    }
  }

  /// Where config.json, the tokenizer and (unless the checkpoint was planned from afar) the shards are.
  package let folder: FilePath
  /// config.json; nil for a bare state dictionary.
  package let config: ModelConfig?
  package let shards: [Shard]
  package let tensors: [TensorName: StoredTensor]

  /// The names in counting order.
  package var names: [TensorName] { tensors.keys.sorted() }
  package var byteCount: Int { tensors.values.reduce(0) { $0 + $1.range.count } }
  package var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.info.elementCount } }

  /// A checkpoint from the headers of its shards.
  package init(
    folder: FilePath, config: ModelConfig?, shards: [(name: String, header: SafetensorsHeader)],
    index: WeightIndex? = nil
  ) throws {
    var tensors: [TensorName: StoredTensor] = [:]
    for (number, shard) in shards.enumerated() {
      for entry in shard.header.entries {
        // A file may hold more than the index says it does (shared tensors); the index decides.
        if let index, let home = index.shard(of: entry.info.name), home != shard.name { continue }
        let tensor = StoredTensor(info: entry.info, shard: number, range: entry.range)
        if let other = tensors.updateValue(tensor, forKey: entry.info.name) {
          throw WeightsError.duplicateTensor(
            folder, entry.info.name, shards: [shards[other.shard].name, shard.name])
        }
      }
    }
    if let index {
      for (name, shard) in index.entries where tensors[name] == nil {
        throw WeightsError.notInShard(folder, name, shard: shard)
      }
    }
    self.folder = folder
    self.config = config
    self.shards = shards.map { Shard(name: $0.name, size: $0.header.fileSize) }
    self.tensors = tensors
  }

  /// Reads config.json, the index and all shards' headers of a model folder.
  package init(folder: FilePath) throws {
    guard FileSystem.kind(folder) == .folder else { throw WeightsError.notAFolder(folder) }
    let files = try WeightFiles(names: FileSystem.names(in: folder), in: folder) { name in
      try FileSystem.read(folder.appending(name))
    }
    let shards = try files.shards.map { name in
      guard FileSystem.kind(folder.appending(name)) == .file else {
        throw WeightsError.missingShard(folder, shard: name)
      }
      return (name: name, header: try SafetensorsFile.header(of: folder.appending(name)))
    }
    let configPath = folder.appending("config.json")
    let config = FileSystem.exists(configPath) ? try ModelConfig(contentsOf: configPath) : nil
    try self.init(folder: folder, config: config, shards: shards, index: files.index)
  }

  /// The path of the shard that holds a tensor.
  package func path(of tensor: StoredTensor) -> FilePath {
    folder.appending(shards[tensor.shard].name)
  }
}
