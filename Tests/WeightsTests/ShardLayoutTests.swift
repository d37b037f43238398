// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing
import Weights

@Suite("The layout of shards")
struct ShardLayoutTests {
  static func vector(_ name: TensorName, _ count: Int, _ dtype: DType = .f32) -> TensorInfo {
    TensorInfo(name: name, dtype: dtype, shape: [count])
  }

  static func groups(_ counts: [Int], _ maximum: Int) -> [[Int]] {
    ShardLayout(
      counts.enumerated().map { vector(TensorName("\($0)"), $1, .u8) }, maximumShardSize: maximum
    ).shards.map { $0.tensors.map { counts[$0] } }
  }

  @Test("A shard is closed before the tensor that would make it too large")
  func packs() {
    #expect(Self.groups([4, 4, 2, 1], 8) == [[4, 4], [2, 1]])
    #expect(Self.groups([4, 4, 1], 9) == [[4, 4, 1]])
    #expect(Self.groups([5, 4, 4], 8) == [[5], [4, 4]])
  }

  @Test("Only a tensor that is too large by itself makes a shard too large")
  func packsLargeTensors() {
    #expect(Self.groups([20, 1, 20, 20], 8) == [[20], [1], [20], [20]])
    #expect(Self.groups([0, 20, 0, 0, 8, 0], 8) == [[0, 20], [0, 0, 8, 0]])
  }

  @Test("0 means a single shard, and so does nothing to write")
  func packsIntoOne() {
    #expect(Self.groups([20, 20], 0) == [[20, 20]])
    #expect(Self.groups([], 8) == [[]])
  }

  @Test("A single shard has the plain name and no index; several are numbered from one")
  func namesShards() {
    let one = ShardLayout([Self.vector("a", 4)], maximumShardSize: 100)
    #expect(one.shards.map(\.name) == ["model.safetensors"])
    #expect(one.index() == nil)
    let three = ShardLayout(
      (0..<3).map { Self.vector(TensorName("\($0)"), 4) }, maximumShardSize: 16)
    #expect(
      three.shards.map(\.name) == [
        "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors",
      ])
  }

  @Test("The index tells size and place of every tensor")
  func writesIndex() throws {
    let layout = ShardLayout(
      [Self.vector("b", 2), Self.vector("a", 1), Self.vector("c", 3, .bf16)], maximumShardSize: 8)
    let index = try #require(layout.index(metadata: [.init("tool", "x")]))
    #expect(
      index.serialized(.compact)
        == #"{"metadata":{"total_size":18,"tool":"x"},"weight_map":{"#
        + #""b":"model-00001-of-00003.safetensors","a":"model-00002-of-00003.safetensors","#
        + #""c":"model-00003-of-00003.safetensors"}}"#)
    #expect(layout.dataSize == 18)
  }

  @Test("What is laid out reads back: headers, aligned places, sizes", arguments: [0, 1, 40, 100])
  func readsBack(maximum: Int) throws {
    let tensors = [
      Self.vector("u8", 3, .u8), Self.vector("f64", 2, .f64), Self.vector("bf16", 5, .bf16),
      Self.vector("f32", 3), Self.vector("empty", 0, .f64), Self.vector("ä\"\\\u{1}", 1, .f16),
      TensorInfo(name: "number", dtype: .i64, shape: []),
      TensorInfo(name: "cube", dtype: .f32, shape: [2, 1, 3]),
    ]
    let layout = ShardLayout(tensors, maximumShardSize: maximum)
    var seen = 0
    for (number, shard) in layout.shards.enumerated() {
      let bytes = shard.header + [UInt8](repeating: 0, count: shard.size - shard.header.count)
      let header = try SafetensorsHeaderTests.parse(bytes)
      #expect(shard.header.count % 8 == 0)
      #expect(header.metadata == ["format": "pt"])
      #expect(header.entries.map(\.info) == shard.tensors.map { tensors[$0] })
      for entry in header.entries {
        let index = try #require(tensors.firstIndex { $0.name == entry.info.name })
        #expect(layout.places[index].shard == number)
        #expect(layout.places[index].range == entry.range)
        #expect(entry.range.lowerBound % entry.info.dtype.byteWidth == 0)
        seen += 1
      }
    }
    #expect(seen == tensors.count)
    #expect(layout.fileSize == layout.shards.reduce(0) { $0 + $1.size })
  }
}
