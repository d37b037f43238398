// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing
import Weights

@testable import Merging

@Suite("Models of one architecture that are not written alike")
struct NameAlignmentTests {
  static func model(_ checkpoint: Checkpoint, _ path: String = "m") -> SourceModel {
    SourceModel(reference: ModelReference(path: path), checkpoint: checkpoint)
  }

  /// A checkpoint of F32 tensors of the given shapes.
  static func checkpoint(_ shapes: [TensorName: [Int]]) throws -> Checkpoint {
    let layout = ShardLayout(
      shapes.sorted { $0.key < $1.key }.map {
        TensorInfo(name: $0.key, dtype: .f32, shape: $0.value)
      }, maximumShardSize: 0)
    let shard = layout.shards[0]
    return try Checkpoint(
      folder: "nowhere", config: nil,
      shards: [
        (shard.name, SafetensorsHeader(text: Array(shard.header[8...]), fileSize: shard.size))
      ])
  }

  @Test(
    "Prefixes and spellings that mean the same are found in both directions",
    arguments: [
      ("bert.encoder.layer.0.x", "encoder.layer.0.x"),
      ("model.language_model.layers.0.x", "language_model.model.layers.0.x"),
      ("model.visual.blocks.0.x", "visual.blocks.0.x"),
      ("bert.embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"),
      ("embeddings.LayerNorm.beta", "bert.embeddings.LayerNorm.bias"),
      ("model.layers.0.block_sparse_moe.gate.weight", "model.layers.0.mlp.gate.weight"),
    ] as [(TensorName, TensorName)])
  func findsNames(a: TensorName, b: TensorName) throws {
    let (first, second) = (try Checkpoint([a]), try Checkpoint([b]))
    #expect(NameAlignment(of: first, to: second).names == [a: b])
    #expect(NameAlignment(of: second, to: first).names == [b: a])
  }

  @Test("A name that both models have is never given away, and nothing is given twice")
  func keepsOwnNames() throws {
    let reference = try Checkpoint(["model.x", "y"])
    let names = NameAlignment(
      of: try Checkpoint(["model.x", "x", "bert.y", "transformer.y"]), to: reference
    ).names
    #expect(names == ["bert.y": "y"])
  }

  @Test("An aligned model has other names for the same bytes")
  func keepsPlaces() throws {
    let model = Self.model(try Checkpoint(["bert.a", "bert.b"]))
    let aligned = model.aligned(to: try Checkpoint(["a", "b"]))
    #expect(aligned.checkpoint.names == ["a", "b"])
    #expect(
      aligned.checkpoint.tensors["b"]?.range == model.checkpoint.tensors["bert.b"]?.range)
  }

  @Test("What one checkpoint leaves out because it is the same as another tensor is found there")
  func findsStandIns() throws {
    let model = try Checkpoint(["shared.weight", "cls.predictions.bias"])
    #expect(model.tensor("encoder.embed_tokens.weight")?.info.name == "shared.weight")
    #expect(model.tensor("cls.predictions.decoder.bias")?.info.name == "cls.predictions.bias")
    #expect(model.tensor("decoder.other.weight") == nil)
  }
}
