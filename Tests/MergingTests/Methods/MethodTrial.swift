// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

/// A merge of small models by the real engine: folders are written, planned, merged and read again.
struct MethodTrial {
  /// What a tensor is in each of the models.
  struct Tensor {
    let name: String
    let shape: [Int]
    var models: [[Double]]
  }

  var method: String
  /// Whether the first model is the base.
  var hasBase: Bool
  /// Parameters of the method, and of each model that is not the base, as YAML without braces.
  var shared = ""
  var models: [String]
  var dtype = DType.f32
  var seed: UInt64 = 0

  /// A merge by a method with the parameters that it must be given, and others for which there is more to do than for
  /// their defaults.
  static func plain(_ spec: MethodSpec) -> MethodTrial {
    func values(_ scope: ParameterSpec.Scope) -> String {
      let chosen = ["density": "0.5", "select_topk": "0.5"]
      return spec.parameters.filter { $0.scope == scope }.compactMap { parameter in
        let value = chosen[parameter.name] ?? (parameter.isRequired ? "0.4" : nil)
        return value.map { "\(parameter.name): \($0)" }
      }.joined(separator: ", ")
    }
    return MethodTrial(
      method: spec.id, hasBase: spec.base == .required, shared: values(.method),
      models: Array(repeating: values(.model), count: min(3, spec.models.upperBound)))
  }

  /// How many models take part, the base among them.
  var modelCount: Int { models.count + (hasBase ? 1 : 0) }

  /// The recipe; models are called m0, m1 and so on.
  var recipe: String {
    var lines = ["merge_method: \(method)"]
    if hasBase { lines.append("base_model: m0") }
    lines.append("models:")
    for (index, parameters) in models.enumerated() {
      let number = index + (hasBase ? 1 : 0)
      lines.append("  - {model: m\(number), parameters: {\(parameters)}}")
    }
    lines.append("parameters: {\(shared)}")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The plan of merging tensors whose models are written below `folder`.
  func plan(_ tensors: [Tensor], in folder: FilePath) throws -> MergePlan {
    let recipe = try Recipe(parsing: Array(recipe.utf8), file: "recipe.yml")
    for number in 0..<modelCount {
      try write(tensors.map { ($0, $0.models[number]) }, to: folder.appending("m\(number)"))
    }
    let sources = try recipe.models.map { reference in
      SourceModel(
        reference: reference, checkpoint: try Checkpoint(folder: folder.appending(reference.path)))
    }
    var options = PlanOptions()
    options.seed = seed
    return try Planner.plan(recipe, sources, options: options)
  }

  /// The elements of each tensor of the result.
  func run(_ tensors: [Tensor], threads: Int = 1) throws -> [String: [Double]] {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      try MergedModel(try plan(tensors, in: folder), target: target).write(
        threads: threads, toolVersion: "test")
      let result = try Checkpoint(folder: target)
      let bytes = try FileSystem.read(target.appending(result.shards[0].name))
      return try Dictionary(
        uniqueKeysWithValues: tensors.map { tensor in
          let stored = try #require(result.tensors[TensorName(tensor.name)])
          #expect(stored.info.shape == tensor.shape)
          return (tensor.name, Self.numbers(bytes[stored.range], stored.info.dtype))
        })
    }
  }

  private static func numbers(_ bytes: ArraySlice<UInt8>, _ dtype: DType) -> [Double] {
    let count = bytes.count / dtype.byteWidth
    return bytes.withUnsafeBytes { source in
      [Double](unsafeUninitializedCapacity: count) { numbers, initialized in
        if let from = source.baseAddress, let to = numbers.baseAddress {
          Double.load(from, dtype, into: to, count: count)
        }
        initialized = count
      }
    }
  }

  private func write(_ tensors: [(tensor: Tensor, values: [Double])], to folder: FilePath) throws {
    let layout = ShardLayout(
      tensors.map {
        TensorInfo(name: TensorName($0.tensor.name), dtype: dtype, shape: $0.tensor.shape)
      }, maximumShardSize: 0)
    var bytes = layout.shards[0].header
    for index in layout.shards[0].tensors {
      let values = tensors[index].values
      bytes += [UInt8](unsafeUninitializedCapacity: values.count * dtype.byteWidth) {
        if let start = $0.baseAddress {
          _ = Double.store(values, as: dtype, to: start, count: values.count)
        }
        $1 = values.count * dtype.byteWidth
      }
    }
    try FileSystem.createFolder(folder)
    try FileSystem.write(bytes, to: folder.appending("model.safetensors"))
  }
}

extension MethodTrial {
  /// A tensor as a reference sees it.
  struct Inputs {
    let name: String
    let shape: [Int]
    /// The base's elements; empty without a base.
    var base: [Double]
    /// The elements of the other models.
    let models: [[Double]]
    /// What these are off from the base, or they themselves without one, rounded as in the engine.
    let deltas: [[Double]]

    var count: Int { models.first?.count ?? base.count }
    var rowLength: Int { shape.last ?? 1 }
  }

  /// Expects of every awkward tensor that the engine's result is near the reference's and does not depend on
  /// the number of threads.
  ///
  /// - Parameters:
  ///   - tolerance: As a share of the largest of the element in all models.
  ///   - slack: What is allowed beside; for methods that put all elements of a matrix together.
  func expectSame(
    _ tensors: [Tensor]? = nil, tolerance: Double = 2e-6, slack: Double = 1e-43,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ reference: (Inputs) throws -> [Double]
  ) throws {
    let tensors = tensors ?? AwkwardTensors.all(models: modelCount)
    let results = try run(tensors)
    #expect(try run(tensors, threads: 3) == results, sourceLocation: sourceLocation)
    for tensor in tensors {
      let got = try #require(results[tensor.name])
      let want = try reference(inputs(tensor))
      var wrong: [Int] = []
      for index in got.indices {
        var size = abs(want[index])
        for model in tensor.models { size = max(size, abs(model[index])) }
        if !(abs(got[index] - want[index]) <= tolerance * size + slack) { wrong.append(index) }
      }
      #expect(
        wrong.isEmpty && got.count == want.count,
        "\(method) \(tensor.name): \(wrong.count) wrong, \(wrong.prefix(3).map { ($0, got[$0], want[$0]) })",
        sourceLocation: sourceLocation)
    }
  }

  func inputs(_ tensor: Tensor) -> Inputs {
    let base = hasBase ? tensor.models[0] : []
    let others = hasBase ? Array(tensor.models.dropFirst()) : tensor.models
    let deltas =
      !hasBase
      ? others
      : others.map { model in
        zip(model, base).map { dtype == .f64 ? $0 - $1 : Double(Float($0) - Float($1)) }
      }
    return Inputs(
      name: tensor.name, shape: tensor.shape, base: base, models: others, deltas: deltas)
  }
}
