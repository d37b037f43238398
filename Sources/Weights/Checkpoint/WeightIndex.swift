// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import SystemPackage

/// The content of `model.safetensors.index.json`: which shard holds which tensor.
package struct WeightIndex: Sendable {
  package let entries: [(name: TensorName, shard: String)]
  private let shards: [TensorName: String]

  package init(_ bytes: [UInt8], path: FilePath) throws(WeightsError) {
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes) } catch {
      throw .brokenJSON(path, error)
    }
    guard let map = json["weight_map"]?.members else {
      throw .malformed(path, "there is no \"weight_map\"")
    }
    var entries: [(name: TensorName, shard: String)] = []
    for member in map {
      guard let shard = member.value.string else {
        throw .malformed(path, "the file of \(member.key) is not a string")
      }
      guard !shard.isEmpty, !shard.contains("/"), !shard.contains("\0"), shard != ".." else {
        throw .unsafeName(path, shard)
      }
      entries.append((TensorName(member.key), shard))
    }
    self.entries = entries
    shards = Dictionary(entries.map { ($0.name, $0.shard) }, uniquingKeysWith: { $1 })
  }

  package func shard(of name: TensorName) -> String? { shards[name] }

  /// The shards, each once, sorted.
  package var shardNames: [String] { Set(shards.values).sorted() }
}

/// Which files of a folder hold the model's weights.
///
/// The index decides; without one `model.safetensors`, then shards by their `-00001-of-` names, then a single
/// file of any name. `consolidated.*` and adapter files are variants of the same weights and not read.
package struct WeightFiles: Sendable {
  package let shards: [String]
  package let index: WeightIndex?

  package init(
    names: [String], in folder: FilePath, reading read: (String) throws -> [UInt8]
  ) throws {
    let indexName = "model.safetensors.index.json"
    if names.contains(indexName) {
      let index = try WeightIndex(read(indexName), path: folder.appending(indexName))
      self.index = index
      shards = index.shardNames
      return
    }
    index = nil
    let candidates = names.filter {
      $0.hasSuffix(".safetensors") && !$0.hasPrefix("consolidated")
        && !$0.hasPrefix("adapter_model")
    }
    let numbered = candidates.filter { $0.contains("-of-") }
    if candidates.contains("model.safetensors") {
      shards = ["model.safetensors"]
    } else if !numbered.isEmpty {
      shards = numbered.sorted()
    } else if candidates.count == 1 {
      shards = candidates
    } else {
      let others = names.filter { name in
        [".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx", ".safetensors"]
          .contains { name.hasSuffix($0) }
      }
      throw WeightsError.noWeights(folder, others: others)
    }
  }
}
