// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing
import Weights

@Suite("What a model is, from its headers")
struct ModelInspectionTests {
  @Test("Parameters by dtype and module, stacks, vocabulary and head")
  func inspects() throws {
    let inspection = ModelInspection(
      try Checkpoint(
        [
          "model.embed_tokens.weight", "model.layers.0.mlp.up.weight",
          "model.layers.0.mlp.down.weight", "model.layers.1.mlp.up.weight",
          "vision.blocks.0.x", "model.norm.weight",
        ], lengths: ["model.embed_tokens.weight": 7],
        config: #"{"architectures":["A"],"vocab_size":9,"tie_word_embeddings":true}"#))
    #expect(inspection.architectures == ["A"])
    #expect(inspection.parameterCount == 12)
    #expect(inspection.byteCount == 48)
    #expect(inspection.dtypes.map(\.name) == ["float32"])
    #expect(
      inspection.modules.map(\.name) == [
        "model.embed_tokens", "model.layers.*.mlp", "model.norm", "vision.blocks.*.x",
      ])
    #expect(inspection.modules.map(\.parameterCount) == [7, 3, 1, 1])
    #expect(inspection.stacks.map(\.prefix) == ["model.layers", "vision.blocks"])
    #expect(inspection.stacks.map(\.kindCount) == [2, 1])
    #expect(inspection.stacks.map(\.isMain) == [true, false])
    #expect(inspection.embeddingRows == 7)
    #expect(inspection.vocabularySize == 9)
    #expect(inspection.head == .tied)
  }

  @Test(
    "Whether the head is the embedding",
    arguments: [
      (true, nil, ModelInspection.Head.own), (true, "false", .own), (true, "true", .tiedCopy),
      (false, "true", .tied), (false, nil, ModelInspection.Head.none),
    ] as [(Bool, String?, ModelInspection.Head)])
  func findsHead(hasHead: Bool, tie: String?, head: ModelInspection.Head) throws {
    let names: [TensorName] =
      ["model.embed_tokens.weight"] + (hasHead ? ["lm_head.weight"] : [])
    let config = tie.map { #"{"tie_word_embeddings":\#($0)}"# } ?? "{}"
    #expect(ModelInspection(try Checkpoint(names, config: config)).head == head)
  }
}
