// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("PyTorch archives")
struct TorchArchiveTests {
  /// 0, 1, 2, …
  static func numbers(_ count: Int) -> [UInt8] { (0..<count).map(Float.init).littleEndianBytes }

  /// The archive of some views of storages "0" and "1", and the F32 numbers of a tensor in it.
  struct Sample {
    let bytes: [UInt8]
    let archive: TorchArchive

    init(_ views: [TorchView], count: Int = 24) throws {
      let keys = Set(views.map(\.key))
      let storages = Dictionary(
        uniqueKeysWithValues: keys.map { ($0, TorchArchiveTests.numbers(count)) })
      bytes = ZipScript(pickle: PickleScript.of(views), storages: storages).bytes
      archive = try TorchArchive(bytes)
    }

    func entry(_ name: TensorName) throws -> TensorEntry {
      try #require(archive.entries.first { $0.info.name == name })
    }

    /// Read in runs of `step` elements.
    func numbers(_ name: TensorName, step: Int = .max) throws -> [Float] {
      let entry = try entry(name)
      let tensor = StoredTensor(
        info: entry.info, shard: 0, range: entry.range, strides: entry.strides)
      let count = entry.info.elementCount
      var result: [Float] = []
      var next = 0
      while next < count {
        let end = next + min(step, count - next)
        var part = [Float](repeating: -1, count: end - next)
        bytes[entry.range].withUnsafeBytes { source in
          part.withUnsafeMutableBytes { target in
            if let target = target.baseAddress {
              tensor.gather(next..<end, from: source, into: target)
            }
          }
        }
        result += part
        next = end
      }
      return result
    }
  }

  @Test("A dense tensor is a run of bytes where its storage is")
  func dense() throws {
    let sample = try Sample([
      TorchView(name: "a", count: 24, offset: 4, shape: [2, 3], strides: [3, 1])
    ])
    let entry = try sample.entry("a")
    #expect(entry.info.dtype == .f32)
    #expect(entry.info.shape == [2, 3])
    #expect(entry.strides == nil)
    #expect(entry.range.count == 24)
    #expect(entry.range.lowerBound % 64 == 16)
    #expect(try sample.numbers("a") == [4, 5, 6, 7, 8, 9])
    #expect(sample.archive.fileSize == sample.bytes.count)
  }

  @Test(
    "Transposed, sliced and stepped views have the numbers of their elements, however they are read"
  )
  func views() throws {
    let sample = try Sample([
      TorchView(name: "transposed", count: 24, shape: [6, 4], strides: [1, 6]),
      TorchView(name: "columns", count: 24, offset: 1, shape: [4, 2], strides: [6, 1]),
      TorchView(name: "stepped", count: 24, offset: 3, shape: [7], strides: [3]),
      TorchView(name: "cube", count: 24, offset: 2, shape: [2, 2, 3], strides: [1, 12, 4]),
      TorchView(name: "expanded", count: 24, shape: [3, 4], strides: [0, 1]),
    ])
    let expected: [TensorName: [Float]] = [
      "transposed": (0..<24).map { Float($0 / 4 + $0 % 4 * 6) },
      "columns": [1, 2, 7, 8, 13, 14, 19, 20],
      "stepped": [3, 6, 9, 12, 15, 18, 21],
      "cube": [2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23],
      "expanded": [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3],
    ]
    for (name, numbers) in expected {
      #expect(try sample.entry(name).strides != nil)
      for step in [1, 2, 3, 5, 100] {
        #expect(try sample.numbers(name, step: step) == numbers, "\(name) by \(step)")
      }
    }
    #expect(try sample.entry("columns").range.count == (20 - 1 + 1) * 4)
  }

  @Test("Axes of length 1 may have any stride, and empty tensors any strides")
  func freeStrides() throws {
    let sample = try Sample([
      TorchView(name: "row", count: 24, shape: [1, 6], strides: [99, 1]),
      TorchView(name: "empty", count: 24, shape: [0, 6], strides: [7, 7]),
      TorchView(name: "scalar", count: 24, offset: 5, shape: [], strides: []),
    ])
    #expect(try sample.entry("row").strides == nil)
    #expect(try sample.entry("empty").strides == nil)
    #expect(try sample.entry("empty").range.isEmpty)
    #expect(try sample.numbers("scalar") == [5])
  }

  @Test("Tensors that share a storage lie at the same place")
  func shared() throws {
    let sample = try Sample([
      TorchView(name: "embed", count: 24, shape: [6, 4], strides: [4, 1]),
      TorchView(name: "head", count: 24, shape: [6, 4], strides: [4, 1], isParameter: true),
      TorchView(name: "part", count: 24, offset: 8, shape: [4], strides: [1]),
    ])
    #expect(try sample.entry("embed").range == sample.entry("head").range)
    #expect(try sample.entry("part").range.lowerBound == sample.entry("head").range.lowerBound + 32)
  }

  @Test(
    "Storages tell the dtype of their tensors",
    arguments: [
      ("DoubleStorage", DType.f64), ("HalfStorage", .f16), ("BFloat16Storage", .bf16),
      ("LongStorage", .i64), ("IntStorage", .i32), ("ShortStorage", .i16), ("CharStorage", .i8),
      ("ByteStorage", .u8), ("BoolStorage", .bool), ("ComplexFloatStorage", .c64),
    ])
  func dtypes(type: String, dtype: DType) throws {
    let view = TorchView(name: "a", type: type, count: 4, shape: [4], strides: [1])
    let archive = try TorchArchive(
      ZipScript(
        pickle: PickleScript.of([view]),
        storages: ["0": [UInt8](repeating: 1, count: 4 * dtype.byteWidth)]
      ).bytes)
    #expect(archive.entries.map(\.info.dtype) == [dtype])
    #expect(archive.entries.map(\.range.count) == [4 * dtype.byteWidth])
  }

  @Test("Tensors of untyped storages bring their own dtype")
  func untyped() throws {
    let view = TorchView(
      name: "a", type: "UntypedStorage", count: 8, offset: 2, shape: [6], strides: [1],
      dtype: "float8_e4m3fn")
    let archive = try TorchArchive(
      ZipScript(pickle: PickleScript.of([view]), storages: ["0": [UInt8](repeating: 0, count: 8)])
        .bytes)
    #expect(archive.entries.map(\.info.dtype) == [.f8E4M3])
    #expect(archive.entries.map(\.range.count) == [6])
  }

  @Test(
    "The state dictionary is found in what training frameworks put around it",
    arguments: ["state_dict", "model", "module", "model_state_dict"])
  func wrapped(key: String) throws {
    var script = PickleScript()
    script.op("}")
    script.op("(")
    script.text("epoch")
    script.int(3)
    script.text(key)
    script.dictionary([TorchView(name: "a.weight", count: 2, shape: [2], strides: [1])])
    // The attributes of an OrderedDict.
    script.op("}")
    script.text("_metadata")
    script.op("N")
    script.op("s")
    script.op("b")
    script.op("u")
    let archive = try TorchArchive(
      ZipScript(
        pickle: script.bytes + [PickleScript.stop], storages: ["0": Self.numbers(2)],
        stem: "other"
      ).bytes)
    #expect(archive.entries.map(\.info.name) == ["a.weight"])
  }

  @Test("Values are remembered and used again")
  func memo() throws {
    var script = PickleScript()
    script.op("}")
    script.text("a")
    script.tensor(TorchView(name: "", count: 2, shape: [2], strides: [1]))
    script.op(UInt8(ascii: "q"), 7)
    script.op("s")
    script.text("b")
    script.op(UInt8(ascii: "h"), 7)
    script.op("s")
    let archive = try TorchArchive(
      ZipScript(pickle: script.bytes + [PickleScript.stop], storages: ["0": Self.numbers(2)]).bytes)
    #expect(archive.entries.map(\.info.name) == ["a", "b"])
  }

  @Test("Small archives without 64-bit records are read too")
  func narrow() throws {
    let view = TorchView(name: "a", count: 2, shape: [2], strides: [1])
    var zip = ZipScript(pickle: PickleScript.of([view]), storages: ["0": Self.numbers(2)])
    zip.hasWideEnd = false
    #expect(try TorchArchive(zip.bytes).entries.count == 1)
  }

  static func legacy(_ views: [TorchView], order: [String], littleEndian: Bool = true) -> [UInt8] {
    var machine = PickleScript()
    machine.op("}")
    machine.text("little_endian")
    machine.op(littleEndian ? 0x88 : 0x89)
    machine.op("s")
    var version = PickleScript()
    version.int(1001)
    var keys = PickleScript()
    keys.op("]")
    keys.op("(")
    for key in order { keys.text(key) }
    keys.op("e")
    var file: [UInt8] = [
      0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
    ]
    file.append(PickleScript.stop)
    file += version.bytes + [PickleScript.stop] + machine.bytes + [PickleScript.stop]
    file += PickleScript.of(views, storageItems: 6) + keys.bytes + [PickleScript.stop]
    for key in order {
      let count = views.first { $0.key == key }?.count ?? 0
      file += PickleScript.little(count, 8)
      file += (0..<count).map { Float($0) + (key == "y" ? 100 : 0) }.littleEndianBytes
    }
    return file
  }

  @Test("Files from before the zip form are read: the storages follow in the order of their list")
  func legacy() throws {
    let views = [
      TorchView(name: "a", key: "x", count: 3, shape: [3], strides: [1]),
      TorchView(name: "b", key: "y", count: 4, offset: 1, shape: [2], strides: [2]),
    ]
    let file = Self.legacy(views, order: ["y", "x"])
    let archive = try TorchArchive(file)
    #expect(archive.entries.map(\.info.name) == ["b", "a"])
    #expect(archive.entries[0].strides == [2])
    #expect(Array(file[archive.entries[0].range].prefix(4)) == [Float(101)].littleEndianBytes)
    #expect(archive.entries[1].range == file.count - 12..<file.count)
  }

  @Test("A folder without safetensors is read from its PyTorch files, one or several")
  func folder() throws {
    try withTemporaryFolder { folder in
      let shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
      for (number, shard) in shards.enumerated() {
        let view = TorchView(name: "t\(number)", count: 2, shape: [2], strides: [1])
        let zip = ZipScript(pickle: PickleScript.of([view]), storages: ["0": Self.numbers(2)])
        try FileSystem.write(zip.bytes, to: folder.appending(shard))
      }
      let map = shards.enumerated().map { "\"t\($0)\":\"\($1)\"" }.joined(separator: ",")
      try FileSystem.write(
        "{\"weight_map\":{\(map)}}", to: folder.appending("pytorch_model.bin.index.json"))
      let checkpoint = try Checkpoint(folder: folder)
      #expect(checkpoint.names == ["t0", "t1"])
      #expect(checkpoint.tensors["t1"]?.shard == 1)

      let single = try Checkpoint(file: folder.appending(shards[1]))
      #expect(single.names == ["t1"])
      #expect(single.isSingleFile)
      #expect(single.config == nil)
    }
  }
}
