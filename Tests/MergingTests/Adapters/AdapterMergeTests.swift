// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("LoRA adapters, against their formulas in double precision")
struct AdapterMergeTests {
  /// More than two blocks of elements, cut in the middle of rows.
  static let weight = Matrix(37, 501, seed: 1)
  static let down = Matrix(3, 501, seed: 2)
  static let up = Matrix(37, 3, seed: 3)

  static func linear(_ folder: FilePath) -> AdapterFixture {
    var fixture = AdapterFixture(folder)
    fixture.model = ["model.layers.0.q.weight": weight, "model.norm.weight": Matrix(501, seed: 9)]
    fixture.adapter = [
      "model.layers.0.q.lora_A.weight": down, "model.layers.0.q.lora_B.weight": up,
    ]
    return fixture
  }

  static func product(scale: Double) -> [[Double]] {
    Reference.sum(weight.rows, Reference.product(up.rows, down.rows), scale: scale)
  }

  @Test("A linear layer: W + alpha ÷ rank · B · A; other tensors stay as they are")
  func linear() async throws {
    try await withTemporaryFolder { folder in
      let fixture = Self.linear(folder)
      let tensors = try await fixture.merged()
      #expect(distance(tensors["model.layers.0.q.weight"], Self.product(scale: 2)) < 2e-6)
      #expect(tensors["model.norm.weight"] == fixture.model["model.norm.weight"]?.values)
      let source = folder.appending("model")
      #expect(try AdapterFixture.read(source)["model.layers.0.q.weight"] == Self.weight.values)
    }
  }

  @Test("The same bits for any number of threads, and inside of another method")
  func deterministic() async throws {
    try await withTemporaryFolder { folder in
      let fixture = Self.linear(folder)
      let one = try await fixture.merged(threads: 1)
      #expect(try await fixture.merged(threads: 3) == one)
      let linear = """
        merge_method: linear
        models:
          - {model: \(fixture.reference), parameters: {weight: 1}}
          - {model: \(fixture.modelPath), parameters: {weight: 0}}
        """
      #expect(try await fixture.merged(linear) == one)
    }
  }

  @Test(
    "The scale follows rsLoRA and the patterns of ranks and alphas",
    arguments: [
      (#""use_rslora":true,"#, 6 / 3.0.squareRoot()),
      (#""alpha_pattern":{"q":12},"#, 4), (#""alpha_pattern":{"k":12},"#, 2),
      (#""alpha_pattern":{"layers.0.q":12},"#, 4),
      (#""alpha_pattern":{"layers\\.\\d+\\.[qv]":1.5},"#, 0.5),
      (#""alpha_pattern":{"0.q":3,"q":12},"#, 1),
    ])
  func scales(settings: String, scale: Double) async throws {
    try await withTemporaryFolder { folder in
      var fixture = Self.linear(folder)
      fixture.settings = settings
      let tensors = try await fixture.merged()
      #expect(distance(tensors["model.layers.0.q.weight"], Self.product(scale: scale)) < 2e-6)
    }
  }

  @Test("The result is rounded before it is merged if that is asked for, and only where it changed")
  func rounding() async throws {
    try await withTemporaryFolder { folder in
      let fixture = Self.linear(folder)
      var options = PlanOptions()
      options.adapterDType = .bf16
      let exact = try await fixture.merged()
      let rounded = try await fixture.merged(options: options)
      let expected = exact["model.layers.0.q.weight"]?.map { value in
        let bits = value.bitPattern
        return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
      }
      #expect(rounded["model.layers.0.q.weight"] == expected)
      #expect(rounded["model.norm.weight"] == exact["model.norm.weight"])
    }
  }

  @Test("The rank of a module may be its own")
  func ranks() async throws {
    try await withTemporaryFolder { folder in
      var fixture = Self.linear(folder)
      fixture.rank = 8
      fixture.settings = #""rank_pattern":{"q":3},"#
      let tensors = try await fixture.merged()
      #expect(distance(tensors["model.layers.0.q.weight"], Self.product(scale: 2)) < 2e-6)
    }
  }

  @Test("Weights stored the other way round: told by the shape, or by fan_in_fan_out")
  func fanInFanOut() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let (wide, square) = (Matrix(40, 300, seed: 1), Matrix(64, 64, seed: 2))
      let wideParts = (down: Matrix(3, 40, seed: 3), up: Matrix(300, 3, seed: 4))
      let squareParts = (down: Matrix(3, 64, seed: 5), up: Matrix(64, 3, seed: 6))
      fixture.model = ["h.0.wide.weight": wide, "h.0.square.weight": square]
      fixture.adapter = [
        "h.0.wide.lora_A.weight": wideParts.down, "h.0.wide.lora_B.weight": wideParts.up,
        "h.0.square.lora_A.weight": squareParts.down, "h.0.square.lora_B.weight": squareParts.up,
      ]
      fixture.settings = #""fan_in_fan_out":true,"#
      let tensors = try await fixture.merged()
      for (name, matrix, parts) in [("wide", wide, wideParts), ("square", square, squareParts)] {
        let delta = Reference.transposed(Reference.product(parts.up.rows, parts.down.rows))
        let expected = Reference.sum(matrix.rows, delta, scale: 2)
        #expect(distance(tensors["h.0.\(name).weight"], expected) < 2e-6)
      }
      fixture.settings = ""
      let plain = try await fixture.merged()
      let delta = Reference.product(squareParts.up.rows, squareParts.down.rows)
      let expected = Reference.sum(square.rows, delta, scale: 2)
      #expect(distance(plain["h.0.square.weight"], expected) < 2e-6)
    }
  }

  @Test("Embeddings: W + s · (B · A)ᵀ, and rows of tokens that were trained by themselves")
  func embedding() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let weight = Matrix(900, 24, seed: 1)
      let (down, up) = (Matrix(3, 900, seed: 2), Matrix(24, 3, seed: 3))
      let rows = Matrix(2, 24, seed: 4)
      fixture.model = ["model.embed_tokens.weight": weight]
      fixture.adapter = [
        "model.embed_tokens.lora_embedding_A": down, "model.embed_tokens.lora_embedding_B": up,
        "model.embed_tokens.token_adapter.trainable_tokens_delta": rows,
      ]
      fixture.settings = #""trainable_token_indices":{"embed_tokens":[899,5]},"#
      let tensors = try await fixture.merged()
      let delta = Reference.transposed(Reference.product(up.rows, down.rows))
      var expected = Reference.sum(weight.rows, delta, scale: 2)
      expected[899] = rows.rows[0]
      expected[5] = rows.rows[1]
      #expect(distance(tensors["model.embed_tokens.weight"], expected) < 2e-6)
    }
  }

  @Test("DoRA: rows get their magnitudes; of transposed weights and embeddings the columns do")
  func magnitudes() async throws {
    try await withTemporaryFolder { folder in
      var fixture = Self.linear(folder)
      let magnitudes = Matrix(37, seed: 7)
      let embedding = Matrix(700, 24, seed: 1)
      let (down, up) = (Matrix(3, 700, seed: 2), Matrix(24, 3, seed: 3))
      let columns = Matrix(24, seed: 8)
      fixture.settings = #""use_dora":true,"#
      fixture.adapter["model.layers.0.q.lora_magnitude_vector"] = magnitudes
      fixture.model["model.embed.weight"] = embedding
      fixture.adapter["model.embed.lora_embedding_A"] = down
      fixture.adapter["model.embed.lora_embedding_B"] = up
      fixture.adapter["model.embed.lora_magnitude_vector"] = columns
      let tensors = try await fixture.merged()
      let linear = Reference.normalized(Self.product(scale: 2), to: magnitudes.values)
      #expect(distance(tensors["model.layers.0.q.weight"], linear) < 2e-6)
      let sum = Reference.sum(
        Reference.transposed(embedding.rows), Reference.product(up.rows, down.rows), scale: 2)
      let embedded = Reference.transposed(Reference.normalized(sum, to: columns.values))
      #expect(distance(tensors["model.embed.weight"], embedded) < 2e-6)
    }
  }

  @Test("A convolution is a matrix of its output channels and everything else")
  func convolution() async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let weight = Matrix(8, 3, 5, 5, seed: 1)
      let (down, up) = (Matrix(3, 3, 5, 5, seed: 2), Matrix(8, 3, 1, 1, seed: 3))
      fixture.model = ["stem.conv.weight": weight]
      fixture.adapter = ["stem.conv.lora_A.weight": down, "stem.conv.lora_B.weight": up]
      let tensors = try await fixture.merged()
      let expected = Reference.sum(
        weight.rows, Reference.product(up.rows, down.rows), scale: 2)
      #expect(distance(tensors["stem.conv.weight"], expected) < 2e-6)
    }
  }

  @Test(
    "Experts in one tensor: A has one expert after the other, B the experts by turns",
    arguments: [4, 1])
  func experts(count: Int) async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      let (rank, out, input) = (3, 26, 17)
      let (first, second) = (Matrix(count, out, input, seed: 1), Matrix(count, input, 13, seed: 2))
      let firstParts = (
        down: Matrix(rank * count, input, seed: 3), up: Matrix(out, rank * count, seed: 4)
      )
      let secondParts = (
        down: Matrix(rank * count, 13, seed: 5), up: Matrix(input, rank * count, seed: 6)
      )
      fixture.model = ["mlp.experts.gate_up_proj": first, "mlp.experts.down_proj": second]
      fixture.adapter = [
        "mlp.experts.lora_A.weight": secondParts.down, "mlp.experts.lora_B.weight": secondParts.up,
        "mlp.experts.base_layer.lora_A.weight": firstParts.down,
        "mlp.experts.base_layer.lora_B.weight": firstParts.up,
      ]
      let tensors = try await fixture.merged()
      for (name, weight, parts) in [
        ("gate_up_proj", first, firstParts), ("down_proj", second, secondParts),
      ] {
        let (a, b) = (parts.down.rows, parts.up.rows)
        let height = weight.shape[1]
        let rows = weight.rows.flatMap { expert in
          (0..<height).map { row in
            Array(expert[row * weight.shape[2]..<(row + 1) * weight.shape[2]])
          }
        }
        let delta = (0..<count).flatMap { expert in
          Reference.product(
            b.map { row in (0..<rank).map { row[$0 * count + expert] } },
            Array(a[expert * rank..<(expert + 1) * rank]))
        }
        let expected = Reference.sum(rows, delta, scale: 2)
        #expect(distance(tensors["mlp.experts.\(name)"], expected) < 2e-6)
      }
    }
  }

  @Test("Whole tensors are replaced first, biases added to, and old spellings understood")
  func replacements() async throws {
    try await withTemporaryFolder { folder in
      var fixture = Self.linear(folder)
      let (base, norm) = (Matrix(37, 501, seed: 20), Matrix(501, seed: 21))
      let (bias, added, head) = (Matrix(37, seed: 22), Matrix(37, seed: 23), Matrix(5, 4, seed: 24))
      fixture.model["model.layers.0.q.bias"] = bias
      fixture.model["score.weight"] = Matrix(5, 4, seed: 25)
      fixture.adapter = [
        "model.layers.0.q.lora_A.default.weight": Self.down,
        "model.layers.0.q.lora_B.default.weight": Self.up,
        "model.layers.0.q.lora_B.bias": added,
        "model.layers.0.q.base_layer.weight": base,
        "model.norm.weight": norm,
        "score.modules_to_save.default.weight": head,
      ]
      let tensors = try await fixture.merged()
      let expected = Reference.sum(
        base.rows, Reference.product(Self.up.rows, Self.down.rows), scale: 2)
      #expect(distance(tensors["model.layers.0.q.weight"], expected) < 2e-6)
      let biases = zip(bias.values, added.values).map { Double($0) + 2 * Double($1) }
      #expect(distance(tensors["model.layers.0.q.bias"], [biases]) < 1e-6)
      #expect(tensors["model.norm.weight"] == norm.values)
      #expect(tensors["score.weight"] == head.values)
    }
  }

  @Test(
    "Modules are found under the other names that they have in checkpoints",
    arguments: [
      ("model.language_model.layers.0.q", "language_model.model.layers.0.q"),
      ("language_model.model.layers.0.q", "model.language_model.layers.0.q"),
      ("model.layers.0.q", "layers.0.q"), ("layers.0.q", "model.layers.0.q"),
      ("transformer.h.0.q", "h.0.q"), ("h.0.q", "transformer.h.0.q"),
    ])
  func renamed(module: String, stored: String) async throws {
    try await withTemporaryFolder { folder in
      var fixture = AdapterFixture(folder)
      fixture.model = [stored + ".weight": Self.weight]
      fixture.adapter = [module + ".lora_A.weight": Self.down, module + ".lora_B.weight": Self.up]
      let tensors = try await fixture.merged()
      #expect(distance(tensors[stored + ".weight"], Self.product(scale: 2)) < 2e-6)
    }
  }
}
