// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("The index of shards")
struct WeightIndexTests {
  static func index(_ text: String) throws(WeightsError) -> WeightIndex {
    try WeightIndex(Array(text.utf8), path: "index.json")
  }

  @Test("It tells the shard of every tensor, and the shards in order")
  func tellsShards() throws {
    let index = try Self.index(
      #"{"metadata":{"total_size":9},"weight_map":{"b":"2.safetensors","a":"1.safetensors","c":"2.safetensors"}}"#
    )
    #expect(index.shard(of: "a") == "1.safetensors")
    #expect(index.shard(of: "c") == "2.safetensors")
    #expect(index.shard(of: "d") == nil)
    #expect(index.shardNames == ["1.safetensors", "2.safetensors"])
    #expect(index.entries.map(\.name) == ["b", "a", "c"])
  }

  @Test(
    "Names that lead out of the folder are refused",
    arguments: ["../x.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", #"a\u0000b"#])
  func refusesPaths(name: String) {
    let error = #expect(throws: WeightsError.self) {
      try Self.index("{\"weight_map\":{\"a\":\"\(name)\"}}")
    }
    guard case .unsafeName = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(
    "An index without a map, or with a map of something else, is malformed",
    arguments: ["{}", "[]", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, "{", ""])
  func refusesNoMap(text: String) {
    #expect(throws: WeightsError.self) { try Self.index(text) }
  }
}

@Suite("Which files of a folder hold the weights")
struct WeightFilesTests {
  static func shards(_ names: [String]) throws -> [String] {
    try WeightFiles(names: names, in: "folder") { _ in
      Array(#"{"weight_map":{"a":"listed.safetensors"}}"#.utf8)
    }.shards
  }

  @Test("The index decides if there is one")
  func indexDecides() throws {
    let names = ["model.safetensors", "model.safetensors.index.json", "listed.safetensors"]
    #expect(try Self.shards(names) == ["listed.safetensors"])
  }

  @Test("Without an index the single file, then numbered shards, then a lone file of any name")
  func choosesByName() throws {
    let numbered = ["m-00002-of-00002.safetensors", "m-00001-of-00002.safetensors"]
    #expect(try Self.shards(numbered + ["model.safetensors"]) == ["model.safetensors"])
    #expect(try Self.shards(numbered + ["extra.safetensors"]) == numbered.reversed())
    #expect(try Self.shards(["weights.safetensors", "config.json"]) == ["weights.safetensors"])
  }

  @Test("Other packings of the same weights and adapters do not count")
  func passesOverVariants() throws {
    #expect(
      try Self.shards(
        ["consolidated.safetensors", "consolidated-00001-of-00002.safetensors", "x.safetensors"])
        == ["x.safetensors"])
    #expect(throws: WeightsError.self) { try Self.shards(["adapter_model.safetensors"]) }
  }

  @Test("A PyTorch file counts if there are no safetensors")
  func choosesFormat() throws {
    #expect(try Self.shards(["pytorch_model.bin", "model.safetensors"]) == ["model.safetensors"])
    #expect(try Self.shards(["pytorch_model.bin", "other.bin"]) == ["pytorch_model.bin"])
    #expect(
      try Self.shards(["pytorch_model-00002-of-00002.bin", "pytorch_model-00001-of-00002.bin"])
        == ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"])
    #expect(throws: WeightsError.self) { try Self.shards(["optimizer.bin"]) }
  }

  @Test("Without weights the error names what looks like some")
  func namesOthers() {
    let error = #expect(throws: WeightsError.self) {
      try Self.shards([
        "a.safetensors", "b.safetensors", "training_args.bin", "config.json", "m.gguf",
      ])
    }
    guard case .noWeights(_, let others) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(others == ["a.safetensors", "b.safetensors", "training_args.bin", "m.gguf"])
  }
}

@Suite("A model folder")
struct CheckpointTests {
  /// Writes a file of F32 vectors of length 1.
  static func write(_ names: [String], to path: FilePath) throws {
    let entries = names.enumerated().map { index, name in
      SafetensorsHeaderTests.entry(name, shape: "[1]", offsets: "[\(4 * index),\(4 * index + 4)]")
    }
    let header = "{\(entries.joined(separator: ","))}"
    try FileSystem.write(SafetensorsHeaderTests.file(header, data: 4 * names.count), to: path)
  }

  static func writeIndex(_ map: KeyValuePairs<String, String>, in folder: FilePath) throws {
    let entries = map.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
    try FileSystem.write(
      "{\"weight_map\":{\(entries)}}", to: folder.appending("model.safetensors.index.json"))
  }

  @Test("Shards, tensors and configuration are found; names are in counting order")
  func readsShardedFolder() throws {
    try withTemporaryFolder { folder in
      try Self.write(["l.10.w", "head"], to: folder.appending("2.safetensors"))
      try Self.write(["l.2.w"], to: folder.appending("1.safetensors"))
      try Self.writeIndex(
        ["l.10.w": "2.safetensors", "head": "2.safetensors", "l.2.w": "1.safetensors"], in: folder)
      try FileSystem.write(
        #"{"architectures":["X"],"model_type":"x"}"#, to: folder.appending("config.json"))
      let checkpoint = try Checkpoint(folder: folder)
      #expect(checkpoint.names == ["head", "l.2.w", "l.10.w"])
      #expect(checkpoint.shards.map(\.name) == ["1.safetensors", "2.safetensors"])
      #expect(checkpoint.config?.architectures == ["X"])
      #expect((checkpoint.parameterCount, checkpoint.byteCount) == (3, 12))
      let head = try #require(checkpoint.tensors["head"])
      #expect(checkpoint.path(of: head) == folder.appending("2.safetensors"))
      #expect(head.range.count == 4)
    }
  }

  @Test("A folder of bare weights has no configuration")
  func readsBareWeights() throws {
    try withTemporaryFolder { folder in
      try Self.write(["a"], to: folder.appending("anything.safetensors"))
      let checkpoint = try Checkpoint(folder: folder)
      #expect(checkpoint.config == nil)
      #expect(checkpoint.names == ["a"])
    }
  }

  @Test("A tensor that a shard holds beside what the index says is passed over")
  func indexDecidesBetweenShards() throws {
    try withTemporaryFolder { folder in
      try Self.write(["a", "b"], to: folder.appending("1.safetensors"))
      try Self.write(["b"], to: folder.appending("2.safetensors"))
      try Self.writeIndex(["a": "1.safetensors", "b": "2.safetensors"], in: folder)
      let checkpoint = try Checkpoint(folder: folder)
      #expect(checkpoint.tensors["b"]?.shard == 1)
      #expect(checkpoint.names == ["a", "b"])
    }
  }

  @Test("A shard that is not there is named")
  func missingShard() throws {
    try withTemporaryFolder { folder in
      try Self.write(["a"], to: folder.appending("1.safetensors"))
      try Self.writeIndex(["a": "1.safetensors", "b": "2.safetensors"], in: folder)
      let error = #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
      guard case .missingShard(folder, shard: "2.safetensors") = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("A tensor that is not in the shard where the index has it is named")
  func notInShard() throws {
    try withTemporaryFolder { folder in
      try Self.write(["a"], to: folder.appending("1.safetensors"))
      try Self.write(["b"], to: folder.appending("2.safetensors"))
      try Self.writeIndex(
        ["a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"], in: folder)
      let error = #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
      guard case .notInShard(folder, "b", shard: "1.safetensors") = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("A tensor in two shards without an index to decide is an error")
  func duplicateTensor() throws {
    try withTemporaryFolder { folder in
      let names = ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"]
      for name in names { try Self.write(["a"], to: folder.appending(name)) }
      let error = #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
      guard case .duplicateTensor(_, "a", shards: names) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("What is no folder, and a folder without weights, are told apart")
  func noFolder() throws {
    try withTemporaryFolder { folder in
      try FileSystem.write("x", to: folder.appending("file"))
      for path in [folder.appending("file"), folder.appending("none")] {
        let error = #expect(throws: WeightsError.self) { try Checkpoint(folder: path) }
        guard case .notAFolder(path) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
      }
      let error = #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
      guard case .noWeights(folder, others: []) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("Broken weights or a broken configuration make a broken checkpoint")
  func brokenFiles() throws {
    try withTemporaryFolder { folder in
      try Self.write(["a"], to: folder.appending("model.safetensors"))
      try FileSystem.write("[1]", to: folder.appending("config.json"))
      #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
      try FileSystem.write("{", to: folder.appending("config.json"))
      #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
      try FileSystem.remove(folder.appending("config.json"))
      try FileSystem.write("x", to: folder.appending("model.safetensors"))
      #expect(throws: WeightsError.self) { try Checkpoint(folder: folder) }
    }
  }
}

@Suite("config.json")
struct ModelConfigTests {
  static func config(_ text: String) throws -> ModelConfig {
    try ModelConfig(Array(text.utf8), path: "config.json")
  }

  @Test("It is kept as it was written")
  func keepsText() throws {
    let text = "{ \"rope_theta\": 1e6,\n\t\"x\": 1.0, \"y\": [ ] }\n"
    #expect(try Self.config(text).document.bytes == Array(text.utf8))
  }

  @Test("What it says of the text model is found at the top or in the part for it")
  func findsText() throws {
    let flat = try Self.config(
      #"{"model_type":"llama","vocab_size":7,"tie_word_embeddings":true,"architectures":["A",3]}"#)
    #expect(flat.modelType == "llama")
    #expect(flat.vocabularySize == 7)
    #expect(flat.tiesWordEmbeddings == true)
    #expect(flat.architectures == ["A"])
    #expect(flat.textScopes == [[]])

    let nested = try Self.config(
      #"{"vocab_size":1,"thinker_config":{"text_config":{"vocab_size":9,"tie_word_embeddings":false}}}"#
    )
    #expect(nested.vocabularySize == 9)
    #expect(nested.tiesWordEmbeddings == false)
    #expect(nested.textScopes == [[], ["thinker_config", "text_config"]])
    #expect(nested.value(at: ["thinker_config", "text_config", "none"]) == nil)
  }

  @Test("What is not said is nil")
  func saysNothing() throws {
    let empty = try Self.config("{}")
    #expect(
      empty.vocabularySize == nil && empty.tiesWordEmbeddings == nil && empty.modelType == nil)
    #expect(empty.architectures.isEmpty)
  }
}
