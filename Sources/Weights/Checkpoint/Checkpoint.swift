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
    /// Where the file is if not in the checkpoint's folder.
    package let folder: FilePath?

    package init(name: String, size: Int, folder: FilePath? = nil) {
      self.name = name
      self.size = size
      self.folder = folder
    }
  }

  /// Where config.json, the tokenizer and (unless the checkpoint was planned from afar) the shards are.
  package let folder: FilePath
  /// config.json; nil for a bare state dictionary.
  package let config: ModelConfig?
  package let shards: [Shard]
  package let tensors: [TensorName: StoredTensor]
  /// Whether the checkpoint is one file by itself, about which the others of its folder say nothing.
  package let isSingleFile: Bool
  /// Tensors of a quantisation that is undone as weights are read: factors, and what activations would be
  /// multiplied by. They are not among `tensors`.
  package let quantizationTensors: [TensorName]

  /// The names in counting order.
  package let names: [TensorName]
  package var byteCount: Int { tensors.values.reduce(0) { $0 + $1.storedByteCount } }
  package var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.info.elementCount } }

  package init(
    folder: FilePath, config: ModelConfig?, shards: [Shard],
    tensors: [TensorName: StoredTensor], isSingleFile: Bool = false,
    quantizationTensors: [TensorName] = []
  ) {
    self.init(
      folder: folder, config: config, shards: shards, tensors: tensors,
      isSingleFile: isSingleFile, quantizationTensors: quantizationTensors,
      names: Array(tensors.keys))
  }

  /// - Parameter names: Those of all tensors, in an order that is quick to sort.
  private init(
    folder: FilePath, config: ModelConfig?, shards: [Shard],
    tensors: [TensorName: StoredTensor], isSingleFile: Bool, quantizationTensors: [TensorName],
    names: [TensorName]
  ) {
    self.folder = folder
    self.config = config
    self.shards = shards
    self.tensors = tensors
    self.names = names.sorted()
    self.isSingleFile = isSingleFile
    self.quantizationTensors = quantizationTensors
  }

  /// A checkpoint from the headers of its shards.
  ///
  /// - Throws: `WeightsError` if the shards contradict one another or the index, or hold quantised weights.
  package init<Header: ShardHeader>(
    folder: FilePath, config: ModelConfig?, shards: [(name: String, header: Header)],
    index: WeightIndex? = nil, isSingleFile: Bool = false
  ) throws {
    let count = shards.reduce(0) { $0 + $1.header.entries.count }
    var tensors = [TensorName: StoredTensor](minimumCapacity: count)
    var names: [TensorName] = []
    names.reserveCapacity(count)
    for (number, shard) in shards.enumerated() {
      for entry in shard.header.entries {
        // A file may hold more than the index says it does (shared tensors); the index decides.
        if let index, let home = index.shard(of: entry.info.name), home != shard.name { continue }
        let tensor = StoredTensor(
          info: entry.info, shard: number, range: entry.range, strides: entry.strides)
        if let other = tensors.updateValue(tensor, forKey: entry.info.name) {
          throw WeightsError.duplicateTensor(
            folder, entry.info.name, shards: [shards[other.shard].name, shard.name])
        }
        names.append(entry.info.name)
      }
    }
    if let index {
      for (name, shard) in index.entries where tensors[name] == nil {
        throw WeightsError.notInShard(folder, name, shard: shard)
      }
    }
    let quantization = Quantization(config)
    let companions = quantization.undo(&tensors)
    if !companions.isEmpty { names.removeAll { tensors[$0] == nil } }
    if let scheme = quantization.scheme(of: tensors) {
      throw WeightsError.quantized(folder, scheme: scheme)
    }
    self.init(
      folder: folder, config: config,
      shards: shards.map { Shard(name: $0.name, size: $0.header.fileSize) }, tensors: tensors,
      isSingleFile: isSingleFile, quantizationTensors: companions, names: names)
  }

  /// Reads config.json, the index and all shards' headers of a model folder.
  package init(folder: FilePath) throws {
    guard FileSystem.kind(folder) == .folder else { throw WeightsError.notAFolder(folder) }
    let files = try WeightFiles(names: FileSystem.names(in: folder), in: folder) { name in
      try FileSystem.read(folder.appending(name), limit: WeightIndex.maximumSize)
    }
    let configPath = folder.appending("config.json")
    let config = FileSystem.exists(configPath) ? try ModelConfig(contentsOf: configPath) : nil
    try self.init(
      folder: folder, config: config, format: files.format, names: files.shards,
      index: files.index)
  }

  /// Reads the header of a file of weights that stands alone.
  ///
  /// - Throws: `WeightsError.noWeights` if the name is not one of a format that is read.
  package init(file: FilePath) throws {
    let folder = file.removingLastComponent()
    let name = file.lastComponent?.string ?? ""
    guard let format = WeightFormat(fileName: name) else {
      throw WeightsError.noWeights(folder, others: [name])
    }
    try self.init(folder: folder, config: nil, format: format, names: [name], isSingleFile: true)
  }

  private init(
    folder: FilePath, config: ModelConfig?, format: WeightFormat, names: [String],
    index: WeightIndex? = nil, isSingleFile: Bool = false
  ) throws {
    for name in names where FileSystem.kind(folder.appending(name)) != .file {
      throw WeightsError.missingShard(folder, shard: name)
    }
    switch format {
    case .safetensors:
      let shards = try names.map {
        (name: $0, header: try SafetensorsFile.header(of: folder.appending($0)))
      }
      try self.init(
        folder: folder, config: config, shards: shards, index: index, isSingleFile: isSingleFile)
    case .torch:
      let shards = try names.map {
        (name: $0, header: try TorchArchive(contentsOf: folder.appending($0)))
      }
      try self.init(
        folder: folder, config: config, shards: shards, index: index, isSingleFile: isSingleFile)
    }
  }

  /// The path of the shard that holds a tensor.
  package func path(of tensor: StoredTensor) -> FilePath { path(of: shards[tensor.shard]) }

  package func path(of shard: Shard) -> FilePath {
    (shard.folder ?? folder).appending(shard.name)
  }
}
