// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// The formats that weights are read from.
package enum WeightFormat: Hashable, Sendable {
  case safetensors
  /// What `torch.save` writes.
  case torch

  /// The format that a file name tells.
  package init?(fileName: String) {
    if fileName.hasSuffix(".safetensors") {
      self = .safetensors
    } else if [".bin", ".pt", ".pth"].contains(where: fileName.hasSuffix) {
      self = .torch
    } else {
      return nil
    }
  }
}

/// Which files of a folder hold the model's weights.
///
/// The index decides; without one `model.safetensors`, then shards by their `-00001-of-` names, then a single
/// file of any name. If there are no safetensors, `pytorch_model.bin`, with or without index.
/// `consolidated.*` and adapter files are variants of the same weights and not read.
package struct WeightFiles: Sendable {
  package let format: WeightFormat
  package let shards: [String]
  package let index: WeightIndex?

  package init(
    names: [String], in folder: FilePath, reading read: (String) throws -> [UInt8]
  ) throws {
    let formats: [(WeightFormat, stem: String, suffix: String)] = [
      (.safetensors, "model", ".safetensors"), (.torch, "pytorch_model", ".bin"),
    ]
    for (format, stem, suffix) in formats {
      let indexName = "\(stem)\(suffix).index.json"
      if names.contains(indexName) {
        let index = try WeightIndex(read(indexName), path: folder.appending(indexName))
        (self.format, self.index, shards) = (format, index, index.shardNames)
        return
      }
      if let shards = Self.shards(names, stem, suffix, ofAnyName: format == .safetensors) {
        (self.format, self.index, self.shards) = (format, nil, shards)
        return
      }
    }
    let others = names.filter { name in
      [".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx", ".safetensors"]
        .contains { name.hasSuffix($0) }
    }
    throw WeightsError.noWeights(folder, others: others)
  }

  private static func shards(
    _ names: [String], _ stem: String, _ suffix: String, ofAnyName: Bool
  ) -> [String]? {
    if names.contains(stem + suffix) { return [stem + suffix] }
    let candidates = names.filter {
      $0.hasSuffix(suffix) && !$0.hasPrefix("consolidated") && !$0.hasPrefix("adapter_model")
        && (ofAnyName || $0.hasPrefix(stem))
    }
    let numbered = candidates.filter { $0.contains("-of-") }
    if !numbered.isEmpty { return numbered.sorted() }
    return ofAnyName && candidates.count == 1 ? candidates : nil
  }
}
