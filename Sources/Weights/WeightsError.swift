// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import SystemPackage

/// What can be wrong with a checkpoint on disk.
package enum WeightsError: Error, Sendable {
  case brokenSafetensors(FilePath, SafetensorsFault)
  case brokenTorchArchive(FilePath, TorchFault)
  case brokenJSON(FilePath, JSONError)
  /// A JSON file parses but lacks what it has to say.
  case malformed(FilePath, String)
  case notAFolder(FilePath)
  /// No weights in a folder; `others` are files that look like weights in a format that is not read.
  case noWeights(FilePath, others: [String])
  case noConfig(FilePath)
  /// The index names a shard that is not there.
  case missingShard(FilePath, shard: String)
  /// The index places a tensor in a shard that does not have it.
  case notInShard(FilePath, TensorName, shard: String)
  case duplicateTensor(FilePath, TensorName, shards: [String])
  /// Tensors whose bytes mean something only together with a quantisation scheme.
  case quantized(FilePath, scheme: QuantizationScheme)
  /// A file name in an index that leads out of its folder.
  case unsafeName(FilePath, String)
}
