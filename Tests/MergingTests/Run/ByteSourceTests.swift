// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import Synchronization
import SystemPackage
import Testing
import Weights

@Suite("Shards that are read elsewhere, and those who wait for shards")
struct ByteSourceTests {
  /// A file that notes what was asked of it.
  final class NotedFile: ByteSource {
    struct Notes {
      var announced: [Range<Int>] = []
      var read: [Range<Int>] = []
      var released: [Range<Int>] = []
    }

    let file: File
    let notes = Mutex(Notes())

    init(_ path: FilePath) throws { file = try File(path, .read) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
      notes.withLock { $0.read.append(offset..<offset + buffer.count) }
      try file.read(into: buffer, at: offset)
    }

    func willRead(_ range: Range<Int>) { notes.withLock { $0.announced.append(range) } }
    func didRead(_ range: Range<Int>) { notes.withLock { $0.released.append(range) } }
  }

  struct Remote: RemoteShards {
    let file: NotedFile
    func open(_ shard: Checkpoint.Shard) -> any ByteSource { file }
  }

  @Test("What is read was announced before, and let go of once; each byte only as often as needed")
  func announcesReads() async throws {
    try await PlannerErrorTests.withModels { bench in
      let text = "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]"
      let local = try await bench.merge(text).mapValues(\.bytes)
      let recipe = try Recipe(parsing: Array(text.utf8), file: "recipe.yml")
      var sources: [SourceModel] = []
      var files: [NotedFile] = []
      for reference in recipe.models {
        var source = try await FolderSource(root: bench.folder).model(reference)
        let file = try NotedFile(source.checkpoint.path(of: source.checkpoint.shards[0]))
        source.remote = Remote(file: file)
        sources.append(source)
        files.append(file)
      }
      let plan = try Planner.plan(recipe, sources)
      let target = bench.folder.appending("remote")
      try MergedModel(plan, target: target).write(threads: 2, toolVersion: "test")
      let result = try Checkpoint(folder: target)
      let bytes = try FileSystem.read(target.appending(result.shards[0].name))
      for (name, expected) in local {
        let range = try #require(result.tensors[name]?.range)
        #expect(Array(bytes[range]) == expected)
      }
      for (source, file) in zip(sources, files) {
        let tensors = Set(source.checkpoint.tensors.values.map(\.range))
        let notes = file.notes.withLock { $0 }
        #expect(Set(notes.announced) == tensors)
        #expect(notes.announced.count == tensors.count)
        #expect(Set(notes.released) == tensors)
        #expect(notes.released.count == tensors.count)
        #expect(
          notes.read.reduce(0) { $0 + $1.count } == tensors.reduce(0) { $0 + $1.count })
      }
    }
  }

  @Test(
    "A consumer is asked before each shard and told of each, those of an earlier run among them")
  func tellsConsumer() async throws {
    final class Consumer: ShardConsumer {
      struct Stop: Error {}
      let begun = Mutex<[String]>([])
      let finished = Mutex<[FinishedShard]>([])
      let limit: Int

      init(limit: Int) { self.limit = limit }

      func willBegin(_ shard: ShardLayout.Shard) throws {
        let count = begun.withLock {
          $0.append(shard.name)
          return $0.count
        }
        if count > limit { throw Stop() }
      }

      func didFinish(_ shard: FinishedShard) throws {
        #expect(try Digest.ofFile(shard.path) == shard.digest)
        finished.withLock { $0.append(shard) }
      }
    }
    try await PlannerErrorTests.withModels { bench in
      var options = PlanOptions()
      options.maximumShardSize = 32
      let plan = try await bench.plan(
        "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]", options)
      let names = plan.layout.shards.map(\.name)
      let model = MergedModel(plan, target: bench.folder.appending("out"))
      let first = Consumer(limit: 1)
      #expect(throws: Consumer.Stop.self) {
        try model.write(threads: 1, toolVersion: "test", isDigested: true, for: first)
      }
      #expect(first.finished.withLock { $0.map(\.name) } == Array(names.prefix(1)))
      let second = Consumer(limit: .max)
      try model.write(threads: 2, toolVersion: "test", isDigested: true, for: second)
      #expect(second.begun.withLock { $0.sorted() } == Array(names.dropFirst()))
      #expect(second.finished.withLock { $0.map(\.name).sorted() } == names)
    }
  }
}
