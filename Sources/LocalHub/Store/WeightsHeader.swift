// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import Synchronization
internal import SystemPackage

/// The header of a safetensors file: what the hub tells of a model without its weights.
struct WeightsHeader: Sendable {
  /// The header as it is in the file.
  let json: JSON

  private static let sizeLimit = 64 << 20

  /// Nil if the file does not begin with a header of a size that is worth reading.
  init?(_ path: FilePath) throws {
    let file = try File(path, .read)
    let size = try file.size
    guard size > 8 else { return nil }
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    guard length <= UInt64(Self.sizeLimit), length <= UInt64(size - 8),
      let json = try? JSON.parse(try file.bytes(at: 8, count: Int(length))), json.members != nil
    else { return nil }
    self.json = json
  }

  /// How many numbers there are of each type; nil if the header does not make sense.
  var parameters: [String: Int]? {
    var counts: [String: Int] = [:]
    for member in json.members ?? [] where member.key != "__metadata__" {
      guard let type = member.value["dtype"]?.string, let shape = member.value["shape"]?.array
      else {
        return nil
      }
      var product = 1
      for extent in shape {
        guard let extent = extent.int, extent >= 0 else { return nil }
        let (value, overflows) = product.multipliedReportingOverflow(by: extent)
        guard !overflows else { return nil }
        product = value
      }
      let (sum, overflows) = counts[type, default: 0].addingReportingOverflow(product)
      guard !overflows else { return nil }
      counts[type] = sum
    }
    return counts
  }
}

extension StoredRepository {
  private static let indexName = "model.safetensors.index.json"

  /// The index of a model in shards; nil if it has none.
  func weightsIndex(_ tree: Tree, named name: String = indexName) throws -> JSON? {
    guard let entry = tree[name], entry.size <= 64 << 20 else { return nil }
    return try? JSON.parse(try blobs.read(entry.blob))
  }

  /// The files that an index names, those of them that are there.
  func shards(of index: JSON, in tree: Tree) -> [TreeEntry] {
    let names = (index["weight_map"]?.members ?? []).compactMap(\.value.string)
    return Set(names).sorted().compactMap { tree[$0] }
  }

  /// The files that hold a model's weights.
  private func weights(in tree: Tree) throws -> [TreeEntry] {
    if let index = try weightsIndex(tree) { return shards(of: index, in: tree) }
    return ["model.safetensors", "adapter_model.safetensors"].lazy.compactMap { tree[$0] }
      .prefix(1).map { $0 }
  }

  /// The counts of a model's parameters as the hub tells them; nil without weights in safetensors.
  func parameterCounts(_ tree: Tree) throws -> JSON? {
    var counts: [String: Int] = [:]
    for entry in try weights(in: tree) {
      guard let some = try parameters(of: entry.blob) else { return nil }
      // A count that does not fit is none that a model has.
      counts.merge(some) { $0.addingReportingOverflow($1).partialValue }
    }
    guard !counts.isEmpty else { return nil }
    let members = counts.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .int($0.value)) }
    let total = counts.values.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    return ["parameters": .object(members), "total": .int(total)]
  }

  /// Read once: a blob never changes.
  private func parameters(of blob: Digest) throws -> [String: Int]? {
    if let known = parameterMemory.withLock({ $0[blob] }) { return known }
    let counts = try WeightsHeader(blobs.path(of: blob))?.parameters
    parameterMemory.withLock { memory in
      if memory.count >= 1000 { memory.removeAll() }
      memory[blob] = .some(counts)
    }
    return counts
  }
}
