// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import Weights

/// A model of a few dozen numbers, made for one test.
struct TinyModel {
  struct Tensor {
    var info: TensorInfo
    var values: [Double]

    init(_ name: TensorName, _ shape: [Int], _ dtype: DType, _ values: [Double]) {
      info = TensorInfo(name: name, dtype: dtype, shape: shape)
      self.values = values
    }

    /// The values as they are stored.
    var bytes: [UInt8] {
      guard info.dtype.isFloat else {
        return values.flatMap { value in
          (0..<info.dtype.byteWidth).map { UInt8(truncatingIfNeeded: Int(value) >> (8 * $0)) }
        }
      }
      var bytes = [UInt8](repeating: 0, count: info.byteCount)
      bytes.withUnsafeMutableBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        values.withUnsafeBufferPointer { values in
          guard let first = values.baseAddress else { return }
          _ = Double.store(first, as: info.dtype, to: start, count: values.count)
        }
      }
      return bytes
    }
  }

  var tensors: [Tensor]
  var config: String?
  var files: [String: String] = [:]
  var shardSize = 0

  /// A language model of some layers, all of its numbers `value` plus a little that tells the elements apart.
  init(
    layers: Int = 2, _ value: Double = 1, _ dtype: DType = .f32,
    architecture: String = "TinyForCausalLM", head: Bool = true
  ) {
    func tensor(_ name: TensorName, _ shape: [Int], offset: Double = 0) -> Tensor {
      let count = shape.reduce(1, *)
      return Tensor(name, shape, dtype, (0..<count).map { value + offset + Double($0) / 16 })
    }
    tensors = [tensor("model.embed_tokens.weight", [4, 2]), tensor("model.norm.weight", [2])]
    if head { tensors.append(tensor("lm_head.weight", [4, 2])) }
    for layer in 0..<layers {
      for suffix in ["mlp.up.weight", "self_attn.q.weight"] {
        tensors.append(
          tensor("model.layers.\(layer).\(suffix)", [2, 2], offset: Double(layer) * 8))
      }
    }
    config =
      "{\"architectures\":[\"\(architecture)\"],\"num_hidden_layers\":\(layers),"
      + "\"torch_dtype\":\"\(dtype.torchName)\",\"vocab_size\":4}"
  }

  /// A model of just these tensors, without configuration.
  init(_ tensors: Tensor...) {
    self.tensors = tensors
    config = nil
  }

  subscript(name: TensorName) -> Tensor? {
    get { tensors.first { $0.info.name == name } }
    set {
      tensors.removeAll { $0.info.name == name }
      if let newValue { tensors.append(newValue) }
    }
  }

  /// Writes the model; as a checkpoint of the packing rule, but without waiting for the disk.
  func write(to folder: FilePath) throws {
    try FileSystem.createFolder(folder)
    let layout = ShardLayout(tensors.map(\.info), maximumShardSize: shardSize)
    for shard in layout.shards {
      let data = shard.tensors.flatMap { tensors[$0].bytes }
      try FileSystem.write(shard.header + data, to: folder.appending(shard.name))
    }
    if let index = layout.index() {
      try FileSystem.write(
        index.serialized(.compact), to: folder.appending("model.safetensors.index.json"))
    }
    if let config { try FileSystem.write(config, to: folder.appending("config.json")) }
    for (name, text) in files {
      let path = folder.pushing(FilePath(name))
      try FileSystem.createFolder(path.removingLastComponent())
      try FileSystem.write(text, to: path)
    }
  }
}

extension TensorName: ExpressibleByStringInterpolation {}

/// Planning and running recipes over tiny models in a folder.
struct TinyBench {
  let folder: FilePath

  func add(_ name: String, _ model: TinyModel) throws {
    try model.write(to: folder.appending(name))
  }

  func plan(_ recipe: String, _ options: PlanOptions = PlanOptions()) async throws -> MergePlan {
    try await Planner.plan(Recipe(recipe), from: FolderSource(root: folder), options: options)
  }

  /// What the planner finds wrong.
  func errors(_ recipe: String, _ options: PlanOptions = PlanOptions()) async throws -> [Diagnostic]
  {
    do {
      return try await plan(recipe, options).warnings
    } catch let error as RecipeError {
      return error.diagnostics
    }
  }

  /// The merged model's tensors.
  func merge(_ recipe: String, _ options: PlanOptions = PlanOptions(), threads: Int = 1)
    async throws -> [TensorName: GoldenTensor]
  {
    let plan = try await plan(recipe, options)
    let target = folder.appending("out-\(UInt32.random(in: 0...UInt32.max))")
    try MergedModel(plan, target: target).write(threads: threads, toolVersion: "test")
    return try GoldenTensor.tensors(at: target)
  }
}
