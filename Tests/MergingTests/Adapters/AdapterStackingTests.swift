// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("Several adapters, and adapters of experts and heads")
struct AdapterStackingTests {
  @Test("Adapters are added one after the other, those of a later one to what it replaces")
  func several() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterMergeTests.linear(folder)
      try fixture.write()
      let parts = (down: Matrix(2, 501, seed: 12), up: Matrix(37, 2, seed: 13))
      let norm = Matrix(501, seed: 14)
      let second = folder.appending("second")
      fixture.rank = 2
      fixture.adapter = [
        "model.layers.0.q.lora_A.weight": parts.down, "model.layers.0.q.lora_B.weight": parts.up,
        "model.norm.weight": norm,
      ]
      try fixture.writeAdapter(to: second)
      let expected = Reference.sum(
        AdapterMergeTests.product(scale: 2), Reference.product(parts.up.rows, parts.down.rows),
        scale: 3)
      fixture = AdapterMergeTests.linear(folder)
      for model in [
        "\(fixture.reference)+\(second)",
        "{model: \(fixture.modelPath), lora: [\(fixture.adapterPath), {path: \(second)}]}",
      ] {
        let tensors = try await fixture.merged(
          "merge_method: passthrough\nmodels:\n  - model: \(model)\n")
        #expect(distance(tensors["model.layers.0.q.weight"], expected) < 3e-6)
        #expect(tensors["model.norm.weight"] == norm.values)
      }
    }
  }

  @Test("Magnitudes cannot be brought about twice, nor changed afterwards")
  func magnitudes() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterMergeTests.linear(folder)
      try fixture.write()
      fixture.settings = #""use_dora":true,"#
      fixture.adapter["model.layers.0.q.lora_magnitude_vector"] = Matrix(37, seed: 15)
      try fixture.writeAdapter(to: folder.appending("dora"))
      for order in [["adapter", "dora"], ["dora", "adapter"]] {
        let reference = ModelReference(
          path: fixture.modelPath.string,
          adapters: order.map { .init(path: folder.appending($0).string, revision: nil) })
        let error = await #expect(throws: AdapterError.self) {
          try await FolderSource().model(reference)
        }
        #expect(error?.fault == .stacked("model.layers.0.q.weight"))
      }
    }
  }

  /// Three experts, hidden size 17, inner size 13, rank 2.
  static let (count, rank, inner, hidden) = (3, 2, 13, 17)

  @Test(
    "An adapter of fused experts changes those that the files keep apart",
    arguments: [
      ("mlp", "gate_proj", "up_proj", "down_proj"), ("block_sparse_moe", "w1", "w3", "w2"),
    ])
  func apart(block: String, gate: String, up: String, down: String) async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let layer = "model.layers.0"
      func name(_ expert: Int, _ part: String) -> String {
        "\(layer).\(block).experts.\(expert).\(part).weight"
      }
      for expert in 0..<Self.count {
        let seed = UInt64(expert * 3)
        fixture.model[name(expert, gate)] = Matrix(Self.inner, Self.hidden, seed: seed + 1)
        fixture.model[name(expert, up)] = Matrix(Self.inner, Self.hidden, seed: seed + 2)
        fixture.model[name(expert, down)] = Matrix(Self.hidden, Self.inner, seed: seed + 3)
      }
      fixture.model["\(layer).\(block).gate.weight"] = Matrix(Self.count, Self.hidden, seed: 40)
      let wide = (
        a: Matrix(Self.rank * Self.count, Self.hidden, seed: 31),
        b: Matrix(2 * Self.inner, Self.rank * Self.count, seed: 32)
      )
      let narrow = (
        a: Matrix(Self.rank * Self.count, Self.inner, seed: 33),
        b: Matrix(Self.hidden, Self.rank * Self.count, seed: 34)
      )
      let router = (
        a: Matrix(Self.rank, Self.hidden, seed: 35), b: Matrix(Self.count, Self.rank, seed: 36)
      )
      fixture.rank = Self.rank
      fixture.adapter = [
        "\(layer).mlp.experts.base_layer.lora_A.weight": wide.a,
        "\(layer).mlp.experts.base_layer.lora_B.weight": wide.b,
        "\(layer).mlp.experts.lora_A.weight": narrow.a,
        "\(layer).mlp.experts.lora_B.weight": narrow.b,
        "\(layer).mlp.gate.lora_A.weight": router.a, "\(layer).mlp.gate.lora_B.weight": router.b,
      ]
      let tensors = try await fixture.merged()
      for expert in 0..<Self.count {
        func delta(_ a: Matrix, _ b: Matrix, _ rows: Range<Int>) -> Reference.Rows {
          Reference.product(
            b.rows[rows].map { row in (0..<Self.rank).map { row[$0 * Self.count + expert] } },
            Array(a.rows[expert * Self.rank..<(expert + 1) * Self.rank]))
        }
        for (part, change) in [
          (gate, delta(wide.a, wide.b, 0..<Self.inner)),
          (up, delta(wide.a, wide.b, Self.inner..<2 * Self.inner)),
          (down, delta(narrow.a, narrow.b, 0..<Self.hidden)),
        ] {
          let own = try #require(fixture.model[name(expert, part)])
          #expect(
            distance(tensors[name(expert, part)], Reference.sum(own.rows, change, scale: 3)) < 2e-6)
        }
      }
      let own = try #require(fixture.model["\(layer).\(block).gate.weight"])
      #expect(
        distance(
          tensors["\(layer).\(block).gate.weight"],
          Reference.sum(own.rows, Reference.product(router.b.rows, router.a.rows), scale: 3))
          < 2e-6)
    }
  }

  @Test("An adapter of single experts changes those of a fused file, which come out apart")
  func single() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let block = "model.layers.0.mlp.experts"
      let fused = Matrix(Self.count, 2 * Self.inner, Self.hidden, seed: 1)
      fixture.model["\(block).gate_up_proj"] = fused
      fixture.model["\(block).down_proj"] = Matrix(Self.count, Self.hidden, Self.inner, seed: 2)
      fixture.rank = Self.rank
      for expert in 0..<Self.count {
        fixture.adapter["\(block).\(expert).up_proj.lora_A.weight"] = Matrix(
          Self.rank, Self.hidden, seed: UInt64(10 + expert))
        fixture.adapter["\(block).\(expert).up_proj.lora_B.weight"] = Matrix(
          Self.inner, Self.rank, seed: UInt64(20 + expert))
      }
      fixture.adapter["\(block).0.gate_proj.lora_A.weight"] = Matrix(
        Self.rank, Self.hidden, seed: 5)
      fixture.adapter["\(block).0.gate_proj.lora_B.weight"] = Matrix(Self.inner, Self.rank, seed: 6)
      let tensors = try await fixture.merged()
      for expert in 0..<Self.count {
        let a = try #require(fixture.adapter["\(block).\(expert).up_proj.lora_A.weight"])
        let b = try #require(fixture.adapter["\(block).\(expert).up_proj.lora_B.weight"])
        let start = (2 * expert + 1) * Self.inner
        let own = (start..<start + Self.inner).map { row in
          fused.values[row * Self.hidden..<(row + 1) * Self.hidden].map(Double.init)
        }
        #expect(
          distance(
            tensors["\(block).\(expert).up_proj.weight"],
            Reference.sum(own, Reference.product(b.rows, a.rows), scale: 3)) < 2e-6)
      }
    }
  }

  @Test("A head of the adapter's own makes a model's head its own, and config.json says so")
  func ownHead() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let (embedding, head) = (Matrix(6, 4, seed: 1), Matrix(6, 4, seed: 2))
      fixture.config = #"{"architectures":["T"],"tie_word_embeddings":true}"#
      fixture.model = [
        "model.embed_tokens.weight": embedding, "model.norm.weight": Matrix(4, seed: 3),
      ]
      fixture.adapter = ["lm_head.modules_to_save.weight": head]
      let tensors = try await fixture.merged()
      #expect(tensors["lm_head.weight"] == head.values)
      #expect(tensors["model.embed_tokens.weight"] == embedding.values)
      let config = try ModelConfig(contentsOf: folder.appending("out").appending("config.json"))
      #expect(config.tiesWordEmbeddings == false)
    }
  }
}
