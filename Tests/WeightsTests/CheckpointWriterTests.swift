// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Glibc
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("The writer of a model folder")
struct CheckpointWriterTests {
  /// Three shards of one vector of four bytes each.
  static let layout = ShardLayout(
    (0..<3).map { TensorInfo(name: TensorName("t.\($0)"), dtype: .u8, shape: [4]) },
    maximumShardSize: 4)

  static func writer(
    _ target: FilePath, fingerprint: String = "same", replacing: Bool = false
  ) throws -> CheckpointWriter {
    try CheckpointWriter(
      target: target, layout: layout, fingerprint: fingerprint, replacing: replacing)
  }

  static func fill(_ writer: CheckpointWriter, _ shard: Int, _ byte: UInt8 = 7) throws {
    let place = layout.places[shard].range.lowerBound
    try writer.file(shard: shard).write([byte, byte, byte, byte], at: place)
    try writer.finish(shard: shard)
  }

  @Test("The folder appears whole, with index and files, and nothing else stays")
  func appearsWhole() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("deep").appending("out")
      let writer = try Self.writer(target)
      for shard in [2, 0, 1] { try Self.fill(writer, shard, UInt8(shard)) }
      try writer.write(Array("{}".utf8), as: "config.json")
      try FileSystem.write("x", to: folder.appending("source"))
      try writer.copy(folder.appending("source"), as: "sub/file.txt")
      #expect(!FileSystem.exists(target))
      try writer.commit(indexMetadata: [.init("tool", "y")])

      #expect(
        try FileSystem.files(below: target) == [
          "config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
          "model-00003-of-00003.safetensors", "model.safetensors.index.json", "sub/file.txt",
        ])
      #expect(try FileSystem.names(in: folder.appending("deep")) == ["out"])
      let checkpoint = try Checkpoint(folder: target)
      #expect(checkpoint.names == ["t.0", "t.1", "t.2"])
      for (name, tensor) in checkpoint.tensors {
        let file = try File(checkpoint.path(of: tensor), .read)
        let number = UInt8(name.text.dropFirst(2)) ?? 99
        #expect(
          try file.bytes(at: tensor.range.lowerBound, count: 4)
            == [UInt8](repeating: number, count: 4))
      }
    }
  }

  @Test("What is in the way is not overwritten; an empty folder is not in the way")
  func refusesTargetInTheWay() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      try FileSystem.createFolder(target)
      let writer = try Self.writer(target)
      for shard in 0..<3 { try Self.fill(writer, shard) }
      try writer.commit()
      for path in [target, target.appending("model.safetensors.index.json")] {
        let error = #expect(throws: CheckpointWriter.Failure.self) { try Self.writer(path) }
        guard case .targetExists(path) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
      }
      try FileSystem.createSymlink(folder.appending("link"), to: "nowhere")
      #expect(throws: CheckpointWriter.Failure.self) {
        try Self.writer(folder.appending("link"))
      }
      #expect(throws: CheckpointWriter.Failure.self) { try Self.writer("/") }
    }
  }

  @Test("A target that appears while the work is under way is kept")
  func refusesLateTarget() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      let writer = try Self.writer(target)
      for shard in 0..<3 { try Self.fill(writer, shard) }
      try FileSystem.createFolder(target)
      try FileSystem.write("precious", to: target.appending("file"))
      #expect(throws: StorageError.self) { try writer.commit() }
      #expect(try FileSystem.names(in: target) == ["file"])
    }
  }

  @Test("A model is replaced by the new one only when that is complete")
  func replaces() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      try FileSystem.createFolder(target)
      try FileSystem.write("old", to: target.appending("old.bin"))
      let writer = try Self.writer(target, replacing: true)
      for shard in 0..<3 { try Self.fill(writer, shard) }
      #expect(try FileSystem.names(in: target) == ["old.bin"])
      try writer.commit()
      #expect(!(try FileSystem.names(in: target)).contains("old.bin"))
      #expect(try FileSystem.names(in: folder) == ["out"])
      #expect(try Checkpoint(folder: target).names.count == 3)
    }
  }

  @Test("An interrupted run is resumed after its finished shards, time and again")
  func resumes() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      do {
        let writer = try Self.writer(target)
        #expect(writer.resumedShards.isEmpty)
        try Self.fill(writer, 1, 5)
        _ = try writer.file(shard: 0)  // begun, not finished
        #expect(writer.abandon() == 1)
      }
      do {
        let writer = try Self.writer(target)
        #expect(writer.resumedShards == [1])
        // Interrupted before anything else is finished.
      }
      do {
        let writer = try Self.writer(target)
        #expect(writer.resumedShards == [1])
        try Self.fill(writer, 2)
      }
      let writer = try Self.writer(target)
      #expect(writer.resumedShards == [1, 2])
      try Self.fill(writer, 0)
      try writer.commit()
      let checkpoint = try Checkpoint(folder: target)
      let tensor = try #require(checkpoint.tensors["t.1"])
      #expect(
        try File(checkpoint.path(of: tensor), .read).bytes(at: tensor.range.lowerBound, count: 4)
          == [5, 5, 5, 5])
    }
  }

  @Test("Shards of another work are not taken for one's own")
  func startsAfresh() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      do { try Self.fill(Self.writer(target), 1) }
      let writer = try Self.writer(target, fingerprint: "other")
      #expect(writer.resumedShards.isEmpty)
      #expect(try FileSystem.names(in: writer.staging) == [".lock"])
    }
  }

  @Test("A finished shard that lost its size, or a journal that was spoilt, counts as nothing")
  func distrustsWhatItFinds() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      let staging: FilePath
      do {
        let writer = try Self.writer(target)
        staging = writer.staging
        for shard in 0..<3 { try Self.fill(writer, shard) }
      }
      try File(staging.appending(Self.layout.shards[1].name), .update).truncate(to: 9)
      do {
        let writer = try Self.writer(target)
        #expect(writer.resumedShards == [0, 2])
        _ = try writer.file(shard: 1)  // has its full size again, and is interrupted
      }
      #expect(try Self.writer(target).resumedShards == [0, 2])
      for journal in [
        "", "[]", #"{"fingerprint":"same","finished":[99,-1,"x"]}"#, "{\"fingerprint\"",
      ] {
        try FileSystem.write(journal, to: staging.appending(".hubmerge-journal.json"))
        #expect(try Self.writer(target).resumedShards.isEmpty)
      }
    }
  }

  @Test("Two writers of one folder: the second is told that it is busy")
  func isBusy() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      let first = try Self.writer(target)
      let error = #expect(throws: CheckpointWriter.Failure.self) { try Self.writer(target) }
      guard case .busy(target) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      try Self.fill(first, 0)
    }
  }

  @Test("Abandoned without a finished shard, nothing stays")
  func abandons() throws {
    try withTemporaryFolder { folder in
      let writer = try Self.writer(folder.appending("out"))
      _ = try writer.file(shard: 0)
      try writer.write([1], as: "config.json")
      #expect(writer.abandon() == 0)
      #expect(try FileSystem.names(in: folder) == [])
    }
  }

  @Test("A model that no disk could hold is refused before a byte is written")
  func refusesTooLarge() throws {
    try withTemporaryFolder { folder in
      let layout = ShardLayout(
        [TensorInfo(name: "t", dtype: .u8, shape: [1 << 60])], maximumShardSize: 0)
      let target = folder.appending("out")
      let error = #expect(throws: CheckpointWriter.Failure.self) {
        try CheckpointWriter(target: target, layout: layout, fingerprint: "x", replacing: false)
      }
      guard case .diskTooSmall(target, let needed, let free) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(needed > 1 << 60 && free < needed)
      let left = try FileSystem.names(in: folder)
      #expect(left == [])
    }
  }

  @Test("Shards are digested while they are written, whatever the order of their bytes")
  func digestsShards() throws {
    try withTemporaryFolder { folder in
      let layout = ShardLayout(
        [TensorInfo(name: "t", dtype: .u8, shape: [1000])], maximumShardSize: 0)
      let writer = try CheckpointWriter(
        target: folder.appending("out"), layout: layout, fingerprint: "x", replacing: false,
        isDigested: true)
      let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
      let start = layout.places[0].range.lowerBound
      let file = try writer.file(shard: 0)
      for part in [300..<500, 0..<100, 900..<1000, 100..<300] {
        #expect(try !file.write(Array(bytes[part]), at: start + part.lowerBound))
      }
      #expect(try file.write(Array(bytes[500..<900]), at: start + 500))
      let shard = try writer.finish(shard: 0)
      #expect(shard.digest == Digest.sha256(layout.shards[0].header + bytes))
      #expect(shard.digest == (try Digest.ofFile(shard.path)))
    }
  }

  @Test("Copied bytes are digested too, and those of shards that an earlier run has not digested")
  func digestsCopies() throws {
    try withTemporaryFolder { folder in
      try FileSystem.write([1, 2, 3, 4, 5, 6], to: folder.appending("source"))
      let source = try File(folder.appending("source"), .read)
      let target = folder.appending("out")
      do {
        let writer = try Self.writer(target)
        try Self.fill(writer, 1)
        #expect(try writer.finishedShards().map(\.digest) == [nil])
      }
      let writer = try CheckpointWriter(
        target: target, layout: Self.layout, fingerprint: "same", replacing: false,
        isDigested: true)
      let place = Self.layout.places[0].range.lowerBound
      #expect(try writer.file(shard: 0).copy(from: source, at: 1, to: place, count: 4))
      try writer.finish(shard: 0)
      #expect(
        try writer.finishedShards().map(\.digest) == [
          Digest.sha256(Self.layout.shards[0].header + [2, 3, 4, 5]),
          Digest.sha256(Self.layout.shards[1].header + [7, 7, 7, 7]),
        ])
    }
  }

  @Test("A shard that was discarded is done, but not there, also for the next run")
  func discardsShards() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("out")
      do {
        let writer = try CheckpointWriter(
          target: target, layout: Self.layout, fingerprint: "same", replacing: false,
          isDigested: true)
        try Self.fill(writer, 0)
        try Self.fill(writer, 1)
        let shard = try #require(try writer.finishedShards().first)
        try writer.discard(shard)
        #expect(!FileSystem.exists(shard.path))
        #expect(try writer.finishedShards().map(\.number) == [1])
      }
      let writer = try Self.writer(target)
      #expect(writer.resumedShards == [0, 1])
      #expect(try writer.finishedShards().map(\.number) == [1])
      #expect(
        writer.digests[0] == Digest.sha256(Self.layout.shards[0].header + [7, 7, 7, 7]))
    }
  }
}
