// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import Testing
import Weights

/// A tensor of a fixture, in memory.
struct Matrix {
  let shape: [Int]
  var values: [Float]

  /// Numbers between -1 and 1 that look random and are the same always.
  init(_ shape: Int..., seed: UInt64) {
    self.shape = shape
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    values = (0..<shape.reduce(1, *)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
    }
  }

  /// As a matrix in double precision: the first axis, and all others together.
  var rows: [[Double]] {
    let width = shape[1...].reduce(1, *)
    return (0..<shape[0]).map { row in (0..<width).map { Double(values[row * width + $0]) } }
  }
}

/// A model and an adapter in a temporary folder, and their merge.
struct AdapterFixture {
  let folder: FilePath
  var model: [String: Matrix] = [:]
  /// Names without `base_model.model.`.
  var adapter: [String: Matrix] = [:]
  /// Further members of adapter_config.json, each followed by a comma.
  var settings = ""
  var rank = 3
  var config = "{\"architectures\":[\"TestModel\"]}"

  init(_ folder: FilePath) { self.folder = folder }

  var modelPath: FilePath { folder.appending("model") }
  var adapterPath: FilePath { folder.appending("adapter") }

  static func write(_ tensors: [String: Matrix], to path: FilePath) throws {
    let names = tensors.keys.sorted()
    let infos = names.map {
      TensorInfo(name: TensorName($0), dtype: .f32, shape: tensors[$0]?.shape ?? [])
    }
    let layout = ShardLayout(infos, maximumShardSize: 0)
    var bytes = layout.shards[0].header
    for index in layout.shards[0].tensors {
      for value in tensors[names[index]]?.values ?? [] {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
      }
    }
    try FileSystem.write(bytes, to: path)
  }

  func write() throws {
    try FileSystem.createFolder(modelPath)
    try FileSystem.createFolder(adapterPath)
    try FileSystem.write(config, to: modelPath.appending("config.json"))
    try Self.write(model, to: modelPath.appending("model.safetensors"))
    try FileSystem.write(
      "{\(settings)\"peft_type\":\"LORA\",\"r\":\(rank),\"lora_alpha\":6}",
      to: adapterPath.appending("adapter_config.json"))
    let named = adapter.map { ("base_model.model." + $0, $1) }
    try Self.write(
      Dictionary(uniqueKeysWithValues: named),
      to: adapterPath.appending("adapter_model.safetensors"))
  }

  var reference: String { "\(modelPath)+\(adapterPath)" }

  func plan(_ recipe: String? = nil, options: PlanOptions = PlanOptions()) async throws
    -> MergePlan
  {
    let text = recipe ?? "merge_method: passthrough\nmodels:\n  - model: \(reference)\n"
    let recipe = try Recipe(parsing: Array(text.utf8), file: "recipe.yml")
    return try await Planner.plan(recipe, from: FolderSource(), options: options)
  }

  /// The tensors of the model with its adapter.
  func merged(
    _ recipe: String? = nil, threads: Int = 2, options: PlanOptions = PlanOptions()
  ) async throws -> [String: [Float]] {
    try write()
    let plan = try await plan(recipe, options: options)
    let target = folder.appending("out")
    try MergedModel(plan, target: target, replacing: true)
      .write(threads: threads, toolVersion: "test")
    return try Self.read(target)
  }

  static func read(_ folder: FilePath, floatsOnly: Bool = false) throws -> [String: [Float]] {
    let checkpoint = try Checkpoint(folder: folder)
    var tensors: [String: [Float]] = [:]
    for (name, tensor) in checkpoint.tensors where tensor.info.dtype.isFloat || !floatsOnly {
      let bytes = try FileSystem.read(checkpoint.path(of: tensor))
      tensors[name.text] = [Float](unsafeUninitializedCapacity: tensor.info.elementCount) {
        guard let target = $0.baseAddress else { return }
        bytes.withUnsafeBytes {
          guard let source = $0.baseAddress else { return }
          Float.load(
            source + tensor.range.lowerBound, tensor.info.dtype, into: target,
            count: tensor.info.elementCount)
        }
        $1 = tensor.info.elementCount
      }
    }
    return tensors
  }

  /// Why the adapter does not fit.
  func fault() async throws -> AdapterFault? {
    try write()
    return try await faultOfFiles()
  }

  /// The same for the files as they are.
  func faultOfFiles() async throws -> AdapterFault? {
    let reference = ModelReference(
      path: modelPath.string, adapter: .init(path: adapterPath.string, revision: nil))
    do {
      _ = try await FolderSource().model(reference)
      return nil
    } catch let error as AdapterError {
      return error.fault
    }
  }
}

/// Matrices in double precision, as formulas are written.
enum Reference {
  typealias Rows = [[Double]]

  static func product(_ a: Rows, _ b: Rows) -> Rows {
    a.map { row in
      (0..<(b.first?.count ?? 0)).map { column in
        zip(row, b).reduce(0) { $0 + $1.0 * $1.1[column] }
      }
    }
  }

  static func sum(_ a: Rows, _ b: Rows, scale: Double) -> Rows {
    zip(a, b).map { zip($0, $1).map { $0 + scale * $1 } }
  }

  static func transposed(_ a: Rows) -> Rows {
    (0..<(a.first?.count ?? 0)).map { column in a.map { $0[column] } }
  }

  /// Rows brought to a length.
  static func normalized(_ a: Rows, to magnitudes: [Float]) -> Rows {
    zip(a, magnitudes).map { row, magnitude in
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / norm * Double(magnitude) }
    }
  }
}

/// The largest difference; infinite if the counts differ.
func distance(_ values: [Float]?, _ reference: [[Double]]) -> Double {
  let expected = reference.flatMap(\.self)
  guard let values, values.count == expected.count else { return .infinity }
  return zip(values, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
}
