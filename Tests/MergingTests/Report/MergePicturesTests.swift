// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("Pictures of merges")
struct MergePicturesTests {
  private static func record(_ recipe: String, sums: Bool = true) async throws -> MergeRecord {
    try await withTemporaryFolder { folder in
      let plan = try await Planner.plan(
        Recipe(parsing: Array(recipe.utf8), file: "recipe.yml"),
        from: PublishedModels(in: folder))
      var record = MergeRecord(plan, title: "A <merge>")
      guard sums else { return record }
      for index in record.tensors.indices {
        let tensor = record.tensors[index]
        var found = TensorSums(inputs: tensor.models.count, hasBase: tensor.base != nil)
        found.count = tensor.elementCount
        found.result = 1
        for input in tensor.models.indices {
          found.inputs[input] = 1
          found.fromResult[input] = Double(input) / 100
          if tensor.base != nil { found.fromBase[input] = input == tensor.base ? 0 : 0.04 }
        }
        found.signPairs = 4
        found.equalSigns = 3
        record.tensors[index].sums = found
      }
      return record
    }
  }

  private static let ties = """
    merge_method: ties
    base_model: org/base
    models:
      - {model: org/math, parameters: {weight: [0, 1], density: 0.5}}
      - {model: org/code, parameters: {weight: 0.5, density: 0.5}}
    dtype: float32

    """

  private static let stacked = """
    merge_method: passthrough
    slices:
      - sources: [{model: org/math, layer_range: [0, 3]}]
      - sources: [{model: org/code, layer_range: [1, 4]}]
    dtype: float32

    """

  @Test("are drawn where there is something to show")
  func selection() async throws {
    let ties = MergePictures(try await Self.record(Self.ties))
    #expect(ties.pictures.map(\.name) == ["distance", "change", "signs", "parameters"])
    let stacked = MergePictures(try await Self.record(Self.stacked, sums: false))
    #expect(stacked.pictures.map(\.name) == ["origin"])
  }

  @Test("tell the numbers of each module and layer, each source in a panel of its own")
  func heatMap() async throws {
    let pictures = MergePictures(try await Self.record(Self.ties)).pictures
    let distance = try #require(pictures.first { $0.name == "distance" })
    // A difference of 0.04 of the base's 1, squared.
    #expect(distance.svg.contains("<title>model.layers.3.mlp.down_proj: 0.2</title>"))
    for name in ["org/math", "org/code"] { #expect(distance.svg.contains(">\(name)</text>")) }
    #expect(!distance.svg.contains(">org/base</text>"))
    let signs = try #require(pictures.first { $0.name == "signs" })
    #expect(signs.svg.contains("lm_head.weight: 0.75"))
    let parameters = try #require(pictures.first { $0.name == "parameters" })
    #expect(parameters.svg.contains("org/math, layer 3: 1<"))
    #expect(parameters.svg.contains("org/math, layer 1: 0.333<"))
    #expect(!parameters.svg.contains("density"))
  }

  @Test("stand for themselves: no script, nothing from elsewhere, light and dark")
  func standalone() async throws {
    let record = try await Self.record(Self.ties)
    let page = ReportPage(record, MergePictures(record)).html
    #expect(page.contains("<h1>A &lt;merge&gt;</h1>"))
    for text in MergePictures(record).pictures.map(\.svg) + [page] {
      #expect(!text.contains("<script") && !text.contains("href=") && !text.contains("url("))
      #expect(text.contains("prefers-color-scheme: dark"))
    }
  }

  @Test("remember a merge in a file that says the same again")
  func json() async throws {
    let record = try await Self.record(Self.ties)
    let text = record.json.serialized(.compact)
    #expect(MergeRecord(json: try JSON.parse(Array(text.utf8))) == record)
    #expect(MergeRecord(json: ["hubmerge_record": 1]) == nil)
  }

  @Test("look at the same elements however the work is cut up")
  func sampling() {
    let count = 10_000_000
    let whole = TensorSums.sampled(0..<count, of: count)
    let parts = stride(from: 0, to: count, by: 1_000_003).flatMap {
      TensorSums.sampled($0..<min($0 + 1_000_003, count), of: count)
    }
    #expect(Set(whole.joined()) == Set(parts.joined()))
    #expect(whole.count >= 64 && whole.count < 80)
    #expect(TensorSums.sampled(0..<100, of: 100) == [0..<100])
    #expect(TensorSums.sampled(5..<5, of: 100) == [])
  }

  @Test("are made of sums that are right")
  func sums() {
    var sums = TensorSums(inputs: 3, hasBase: true)
    let base: [Float] = [1, 1, 1, 1]
    let a: [Float] = [2, 0, 1, 3]
    let b: [Float] = [3, 2, 5, 2]
    let result: [Float] = [2, 1, 1, 1]
    base.withUnsafeBufferPointer { base in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          result.withUnsafeBufferPointer { result in
            sums.observe(
              [base.baseAddress!, a.baseAddress!, b.baseAddress!], base: 0,
              result: result.baseAddress!, count: 4)
          }
        }
      }
    }
    #expect(sums.count == 4)
    #expect(sums.result == 7)
    #expect(sums.inputs == [4, 14, 42])
    #expect(sums.fromBase == [0, 6, 22])
    #expect(sums.fromResult == [1, 5, 19])
    // (1, 2), (-1, 1) and (2, 1) move both; the third element of the first does not.
    #expect(sums.signPairs == 3)
    #expect(sums.equalSigns == 2)
  }
}
