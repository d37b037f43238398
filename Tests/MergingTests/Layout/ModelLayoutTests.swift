// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import SystemPackage
import Testing
import Weights

extension Checkpoint {
  /// A checkpoint of F32 vectors that is nowhere on a disk.
  init(_ names: [TensorName], lengths: [TensorName: Int] = [:], config: String? = nil) throws {
    let layout = ShardLayout(
      names.map { TensorInfo(name: $0, dtype: .f32, shape: [lengths[$0] ?? 1]) },
      maximumShardSize: 0)
    let shard = layout.shards[0]
    try self.init(
      folder: "nowhere",
      config: config.map { try ModelConfig(Array($0.utf8), path: "config.json") },
      shards: [
        (shard.name, SafetensorsHeader(text: Array(shard.header[8...]), fileSize: shard.size))
      ])
  }
}

@Suite("Names with a layer's number")
struct LayeredNameTests {
  @Test(
    "The first component that is a number is the layer",
    arguments: [
      ("model.layers.3.mlp.up.weight", "model.layers", 3, "mlp.up.weight"),
      ("h.10.0.weight", "h", 10, "0.weight"), ("a.b.007.c", "a.b", 7, "c"), ("x.4", "x", 4, ""),
    ])
  func parts(name: TensorName, stack: String, layer: Int, suffix: String) {
    let layered = LayeredName(name)
    #expect(layered?.stack == stack)
    #expect(layered?.layer == layer)
    #expect(layered?.suffix == suffix)
  }

  @Test(
    "Names without one have no layer",
    arguments: [
      "lm_head.weight", "3.weight", "", "a..b", "layer3.x", "a.3x.b", "a.99999999999999999999.b",
      "a.٣.b",
    ])
  func noLayer(name: String) {
    #expect(LayeredName(TensorName(name)) == nil)
  }

  @Test("A name is put together from its parts")
  func joins() {
    #expect(LayeredName.name(stack: "a.b", layer: 2, suffix: "c.d") == "a.b.2.c.d")
    #expect(LayeredName.name(stack: "a", layer: 0, suffix: "") == "a.0")
  }
}

@Suite("How a model is built")
struct ModelLayoutTests {
  @Test("Stacks have their layers, which may differ, and the largest one is sliced")
  func findsStacks() throws {
    let layout = ModelLayout(
      try Checkpoint(
        [
          "model.layers.0.a", "model.layers.0.norm", "model.layers.1.b", "model.layers.1.norm",
          "vision.blocks.0.a", "vision.blocks.1.a", "lm_head.weight",
        ], lengths: ["model.layers.0.a": 9]))
    #expect(layout.stacks.keys.sorted() == ["model.layers", "vision.blocks"])
    #expect(layout.mainStack?.prefix == "model.layers")
    #expect(layout.mainStack?.layers == [["a", "norm"], ["b", "norm"]])
    #expect(layout.mainStack?.byteCount == 4 * 12)
    #expect(layout.loose == ["lm_head.weight"])
  }

  @Test("Numbers with a gap, without anything in common, or a lone number are no stack")
  func refusesStacks() throws {
    let names: [TensorName] = [
      "gap.0.a", "gap.2.a", "list.0.a", "list.1.b", "start.1.a", "start.2.a", "lone.0.a",
    ]
    let layout = ModelLayout(try Checkpoint(names))
    #expect(layout.stacks.isEmpty)
    #expect(layout.mainStack == nil)
    #expect(layout.loose == names.sorted())
  }

  @Test(
    "A single layer is a stack where its name says so",
    arguments: ["model.layers", "h", "encoder.block"])
  func acceptsSingleLayer(stack: String) throws {
    let layout = ModelLayout(try Checkpoint([TensorName("\(stack).0.a")]))
    #expect(layout.mainStack?.layers == [["a"]])
  }

  @Test("Equal stacks: which one is sliced does not depend on chance")
  func choosesAlways() throws {
    let names: [TensorName] = ["b.layers.0.x", "a.layers.0.x", "c.layers.0.x"]
    for _ in 0..<8 {
      #expect(ModelLayout(try Checkpoint(names.shuffled())).mainStack?.prefix == "a.layers")
    }
  }

  @Test(
    "What a tensor is, by its name",
    arguments: [
      ("model.embed_tokens.weight", true, true, false), ("lm_head.weight", false, true, true),
      ("transformer.wte.weight", true, true, false), ("transformer.wpe.weight", true, false, false),
      ("embed_out.weight", false, true, true), ("output.weight", false, true, true),
      ("model.norm.weight", false, false, false),
      ("model.layers.0.attention.output.weight", false, false, false),
      ("bert.embeddings.word_embeddings.weight", true, true, false),
      ("vision.patch_embedding.weight", true, false, false),
    ])
  func classifies(name: TensorName, isBefore: Bool, isVocabulary: Bool, isHead: Bool) {
    #expect(name.isBeforeLayers == isBefore)
    #expect(name.isVocabularyIndexed == isVocabulary)
    #expect(name.isOutputHead == isHead)
  }

  @Test("Tables that the code can compute again are no weights")
  func findsBuffers() {
    #expect(TensorName("model.layers.0.self_attn.rotary_emb.inv_freq").isBuffer)
    #expect(TensorName("embeddings.position_ids").isBuffer)
    #expect(!TensorName("embeddings.position_embeddings.weight").isBuffer)
  }

  @Test("The embedding stands in for a head unless the configuration says that it does not")
  func findsTiedEmbedding() throws {
    let names: [TensorName] = ["model.embed_tokens.weight", "model.norm.weight"]
    #expect(try Checkpoint(names).tiedEmbedding?.info.name == "model.embed_tokens.weight")
    #expect(
      try Checkpoint(names, config: #"{"tie_word_embeddings":false}"#).tiedEmbedding == nil)
    #expect(
      try Checkpoint(names, config: #"{"text_config":{"tie_word_embeddings":true}}"#)
        .tiedEmbedding != nil)
    #expect(try Checkpoint(["model.norm.weight"]).tiedEmbedding == nil)
  }
}
