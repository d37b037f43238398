// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import SystemPackage

/// The content of `model.safetensors.index.json` or `pytorch_model.bin.index.json`: which shard holds which tensor.
package struct WeightIndex: Sendable {
  package let entries: [(name: TensorName, shard: String)]
  private let shards: [TensorName: String]

  /// Far more bytes than any has: a line of it is a tensor.
  package static let maximumSize = 256 << 20

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
