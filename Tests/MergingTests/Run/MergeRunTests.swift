// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Running a merge")
struct MergeRunTests {
  static let linear =
    "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]"

  /// Numbers without pattern between -1 and 1.
  static func noise(_ count: Int, seed: UInt64) -> [Double] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(Int64(bitPattern: state) >> 40) * 0x1p-23
    }
  }

  @Test(
    "The same bytes come from any number of threads",
    arguments: [
      "merge_method: linear\nparameters: {weight: [0.3, 1]}",
      "merge_method: slerp\nbase_model: a\nparameters: {t: 0.3}",
      "merge_method: ties\nbase_model: a\nparameters: {weight: 0.7, density: 0.4, rescale: true}",
      "merge_method: dare_linear\nbase_model: a\nparameters: {weight: 0.7, density: 0.4}\nrandom_seed: 3",
    ])
  func isDeterministic(method: String) async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      // Larger than a chunk, not a multiple of a block, one of each width.
      let count = 300_001
      for (name, seed) in [("a", 1), ("b", 2)] {
        try bench.add(
          name,
          TinyModel(
            .init("w", [count], .f32, Self.noise(count, seed: UInt64(seed))),
            .init("v", [3, 37], .bf16, Self.noise(111, seed: UInt64(seed + 10))),
            .init("u", [1], .f16, [0.5])))
      }
      let recipe = method + "\nmodels: [{model: a}, {model: b}]"
      let one = try await bench.merge(recipe, threads: 1).mapValues(\.bytes)
      for threads in [2, 4] {
        let many = try await bench.merge(recipe, threads: threads).mapValues(\.bytes)
        #expect(many == one)
      }
    }
  }

  @Test("Numbers are computed wide and rounded once, to the nearest and ties to even")
  func roundsOnce() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      // 1 + 2^-7 is the number after 1: the mean of the two is a tie, and 1 is even.
      try bench.add("a", TinyModel(.init("w", [4], .bf16, [1, 1 + 0x1p-7, 256, 3])))
      try bench.add("b", TinyModel(.init("w", [4], .bf16, [1 + 0x1p-7, 1 + 0x1p-6, 1, 5])))
      let result = try await bench.merge(Self.linear)
      #expect(result["w"]?.values == [1, 1 + 0x1p-6, 128, 4])
      #expect(result["w"]?.info.dtype == .bf16)
    }
  }

  @Test(
    "Inputs of several dtypes are promoted; dtype rounds what is read, out_dtype what is written")
  func convertsDTypes() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      let fine = 1 + 0x1p-9
      try bench.add("a", TinyModel(.init("w", [1], .bf16, [1])))
      try bench.add("b", TinyModel(.init("w", [1], .f16, [fine])))
      try bench.add("c", TinyModel(.init("w", [1], .f64, [1 + 0x1p-40])))
      func merge(_ models: String, _ settings: String = "") async throws -> GoldenTensor? {
        try await bench.merge(
          "merge_method: linear\nparameters: {weight: 1}\nmodels: [\(models)]\n" + settings)["w"]
      }
      let both = try await merge("{model: a}, {model: b}")
      #expect(both?.info.dtype == .f32)
      #expect(both?.values == [1 + 0x1p-10])
      let wide = try await merge("{model: a}, {model: c}")
      #expect(wide?.info.dtype == .f64)
      #expect(wide?.values == [1 + 0x1p-41])
      let rounded = try await merge("{model: b}", "dtype: bfloat16\nout_dtype: float32")
      #expect(rounded?.info.dtype == .f32)
      #expect(rounded?.values == [1])
      let narrow = try await merge("{model: b}", "out_dtype: bfloat16")
      #expect(narrow?.info.dtype == .bf16)
      #expect(narrow?.values == [1])
      let widened = try await merge("{model: a}", "dtype: float32")
      #expect(widened?.info.dtype == .f32)
    }
  }

  @Test(
    "A result that is too large for its dtype is an error that names tensor, element and models")
  func tellsOverflow() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(.init("w", [3], .f32, [1, 2, 60_000])))
      try bench.add("b", TinyModel(.init("w", [3], .f32, [1, 2, 60_000])))
      let recipe =
        "merge_method: linear\nparameters: {weight: 1, normalize: false}\nout_dtype: float16\n"
        + "models: [{model: a}, {model: b}]"
      let error = await #expect(throws: MergeError.self) { try await bench.merge(recipe) }
      guard
        case .notFinite("w", element: 2, overflow: true, dtype: .f16, models: ["a", "b"]) = error
      else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(try FileSystem.names(in: folder) == ["a", "b"])
    }
  }

  @Test("A number that is too large for the dtype that is computed in is an error too")
  func tellsOverflowOfInput() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(.init("w", [3], .f32, [1, 70_000, 2])))
      let recipe =
        "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}]\n"
        + "dtype: float16\nout_dtype: float32"
      let error = await #expect(throws: MergeError.self) { try await bench.merge(recipe) }
      guard case .notFinite("w", element: 1, overflow: true, dtype: .f16, models: ["a"]) = error
      else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("A result that is no number although its inputs are is an error, without overflow")
  func tellsNaN() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      let huge = Double(Float.greatestFiniteMagnitude)
      try bench.add("a", TinyModel(.init("w", [2], .f32, [1, huge])))
      try bench.add("b", TinyModel(.init("w", [2], .f32, [1, huge])))
      let recipe =
        "merge_method: linear\nparameters: {weight: 1, normalize: false}\nmodels: [{model: a}, {model: b}]"
      let error = await #expect(throws: MergeError.self) { try await bench.merge(recipe) }
      guard case .notFinite("w", element: 1, overflow: false, dtype: .f32, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("What is not a number in an input already may be so in the result")
  func toleratesInherited() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(.init("w", [4], .f32, [1, .nan, .infinity, 4])))
      try bench.add("b", TinyModel(.init("w", [4], .f32, [3, 1, 1, 6])))
      let values = try await bench.merge(Self.linear)["w"]?.values ?? []
      #expect(values.count == 4)
      #expect((values[0], values[3]) == (2, 5))
      #expect(values[1].isNaN)
      #expect(values[2] == .infinity)
    }
  }

  @Test("An element that is inherited does not hide one behind it that is not")
  func findsSpoiltBehindInherited() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(.init("w", [3], .f32, [.nan, 1, 60_000])))
      let recipe =
        "merge_method: linear\nparameters: {weight: 2, normalize: false}\nout_dtype: float16\nmodels: [{model: a}]"
      let error = await #expect(throws: MergeError.self) { try await bench.merge(recipe) }
      guard case .notFinite("w", element: 2, overflow: true, _, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("Empty tensors, single numbers and unaligned files are merged as well")
  func mergesOddShapes() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      for (name, value) in [("a", 1.0), ("b", 3.0)] {
        try bench.add(
          name,
          TinyModel(
            .init("empty", [0, 5], .f32, []), .init("number", [], .f32, [value]),
            .init("w", [1, 1, 3], .f32, [value, value, value])))
        // The same model with a header of a length that aligns nothing.
        let path = folder.appending(name).appending("model.safetensors")
        var bytes = try FileSystem.read(path)
        let length = bytes[0]
        bytes[0] = length + 1
        bytes.insert(UInt8(ascii: " "), at: 8 + Int(length))
        try FileSystem.write(bytes, to: path)
      }
      let result = try await bench.merge(Self.linear)
      #expect(result["empty"]?.shape == [0, 5])
      #expect(result["number"]?.values == [2])
      #expect(result["w"]?.values == [2, 2, 2])
    }
  }

  @Test("Cancelled, it leaves no folder, and the next run goes on after the finished shards")
  func isCancelledAndResumed() async throws {
    try await PlannerErrorTests.withModels { bench in
      var options = PlanOptions()
      options.maximumShardSize = 32
      let plan = try await bench.plan(Self.linear, options)
      let model = MergedModel(plan, target: bench.folder.appending("out"))
      let finished = Mutex(0)
      #expect(throws: MergeError.self) {
        try model.write(
          threads: 1, toolVersion: "test", isCancelled: { finished.withLock { $0 >= 2 } },
          onEvent: { if case .finishedShard = $0 { finished.withLock { $0 += 1 } } })
      }
      #expect(!FileSystem.exists(model.target))

      let events = EventLog()
      try model.write(threads: 2, toolVersion: "test", onEvent: events.add)
      #expect(events.resumed == plan.layout.shards[0].size + plan.layout.shards[1].size)
      #expect(events.finishedShards == plan.layout.shards.count - 2)
      let fresh = MergedModel(plan, target: bench.folder.appending("fresh"))
      try fresh.write(threads: 1, toolVersion: "test")
      for name in try FileSystem.names(in: fresh.target) {
        #expect(
          try FileSystem.read(fresh.target.appending(name))
            == FileSystem.read(model.target.appending(name)))
      }
      let left = try FileSystem.names(in: bench.folder)
      #expect(left == ["a", "b", "base", "fresh", "out"])
    }
  }

  @Test("The work of another recipe, seed or version, or of changed inputs, is not gone on with")
  func fingerprintsDiffer() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(Self.linear)
      let fingerprint = try plan.fingerprint(toolVersion: "1")
      #expect(try plan.fingerprint(toolVersion: "1") == fingerprint)
      #expect(try plan.fingerprint(toolVersion: "2") != fingerprint)
      var options = PlanOptions()
      options.seed = 9
      let seeded = try await bench.plan(Self.linear, options)
      #expect(try seeded.fingerprint(toolVersion: "1") != fingerprint)
      let other = try await bench.plan(Self.linear + " ")
      #expect(try other.fingerprint(toolVersion: "1") != fingerprint)
      try TinyModel(1).write(to: bench.folder.appending("a"))
      #expect(try plan.fingerprint(toolVersion: "1") != fingerprint)
    }
  }

  @Test("An input that has changed since the plan was made is an error")
  func noticesChangedInput() async throws {
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(Self.linear)
      let path = bench.folder.appending("b").appending("model.safetensors")
      let file = try File(path, .update)
      try file.truncate(to: file.size - 1)
      let error = #expect(throws: MergeError.self) {
        try MergedModel(plan, target: bench.folder.appending("out"))
          .write(threads: 1, toolVersion: "test")
      }
      guard case .inputChanged(path) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(try FileSystem.names(in: bench.folder) == ["a", "b", "base"])
    }
  }

  @Test("Progress adds up to what is written")
  func reportsProgress() async throws {
    try await PlannerErrorTests.withModels { bench in
      var options = PlanOptions()
      options.maximumShardSize = 40
      let plan = try await bench.plan(Self.linear, options)
      let events = EventLog()
      try MergedModel(plan, target: bench.folder.appending("out"))
        .write(threads: 3, toolVersion: "test", onEvent: events.add)
      #expect(events.advanced == plan.layout.dataSize)
      #expect(events.finishedShards == plan.layout.shards.count)
      #expect(events.resumed == 0)
    }
  }

  @Test("The folder has the donor's other files, the recipe, the card and the edited configuration")
  func writesOtherFiles() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      var a = TinyModel(1)
      a.files = [
        "tokenizer.json": "{}", "generation_config.json": "{}", "README.md": "old",
        "vocab.txt": "v",
        "modeling_x.py": "code", "pytorch_model.bin": "w", "onnx/model.onnx": "w", ".hidden": "h",
        "checkpoint-5/tokenizer.json": "c", "sub/file.txt": "s", "training_args.bin": "t",
        "trainer_state.json": "t", "model.gguf": "g",
      ]
      try bench.add("a", a)
      try bench.add("b", TinyModel(2))
      var options = PlanOptions()
      let recipe = Self.linear + "\nout_dtype: bfloat16\n"
      let plan = try await bench.plan(recipe, options)
      let target = folder.appending("out")
      try MergedModel(plan, target: target)
        .write(threads: 1, toolVersion: "test", card: { _ in "the card" })
      #expect(
        try FileSystem.files(below: target) == [
          "README.md", "config.json", "generation_config.json", "mergekit_config.yml",
          "model.safetensors", "modeling_x.py", "sub/file.txt", "tokenizer.json", "vocab.txt",
        ])
      #expect(try FileSystem.read(target.appending("README.md")) == Array("the card".utf8))
      #expect(try FileSystem.read(target.appending("mergekit_config.yml")) == Array(recipe.utf8))
      let config = try ModelConfig(contentsOf: target.appending("config.json"))
      #expect(config.json["torch_dtype"]?.string == "bfloat16")
      options.copiesTokenizer = false
      #expect(
        try await bench.plan(recipe, options).files.map(\.name)
          == ["generation_config.json", "modeling_x.py", "sub/file.txt"])
    }
  }

  @Test("A card that cannot be written leaves no folder")
  func failsWithCard() async throws {
    struct NoCard: Error {}
    try await PlannerErrorTests.withModels { bench in
      let plan = try await bench.plan(Self.linear)
      let target = bench.folder.appending("out")
      #expect(throws: NoCard.self) {
        try MergedModel(plan, target: target)
          .write(threads: 1, toolVersion: "test", card: { _ in throw NoCard() })
      }
      #expect(!FileSystem.exists(target))
    }
  }
}

/// Collects the events of a merge from all threads.
final class EventLog: Sendable {
  private let events = Mutex<[MergeEvent]>([])

  @Sendable func add(_ event: MergeEvent) { events.withLock { $0.append(event) } }

  private var all: [MergeEvent] { events.withLock { $0 } }

  var advanced: Int {
    all.reduce(0) { if case .advanced(let bytes) = $1 { $0 + bytes } else { $0 } }
  }

  var finishedShards: Int { all.count { if case .finishedShard = $0 { true } else { false } } }

  var resumed: Int? {
    all.compactMap { if case .started(_, _, let resumed) = $0 { resumed } else { nil } }.first
  }
}
