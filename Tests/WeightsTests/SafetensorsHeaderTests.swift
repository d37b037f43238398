// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Headers of safetensors files")
struct SafetensorsHeaderTests {
  /// The bytes of a file: length, header text, `data` zero bytes.
  static func file(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    let length = length ?? UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
      + [UInt8](repeating: 0, count: data)
  }

  /// Reads a header as it is read from a file, without the file.
  static func parse(_ bytes: [UInt8]) throws(SafetensorsFault) -> SafetensorsHeader {
    let length = try SafetensorsHeader.length(prefix: Array(bytes.prefix(8)), fileSize: bytes.count)
    return try SafetensorsHeader(text: Array(bytes[8..<8 + length]), fileSize: bytes.count)
  }

  static func fault(_ bytes: [UInt8]) -> SafetensorsFault? {
    do {
      _ = try parse(bytes)
      return nil
    } catch { return error }
  }

  @Test("A good header gives names, dtypes, shapes, ranges in the file, and the metadata")
  func readsGoodHeader() throws {
    let text = """
      {"__metadata__":{"format":"pt","x":"ü"},
       "b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},
       "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
       "none":{"dtype":"F64","shape":[0,7],"data_offsets":[16,16]},
       "c":{"dtype":"I64","shape":[1],"data_offsets":[16,24],"more":true}}
      """
    let header = try Self.parse(Self.file(text, data: 24))
    let start = 8 + text.utf8.count
    #expect(header.entries.map(\.info.name) == ["a", "b", "none", "c"])
    #expect(header.entries.map(\.info.shape) == [[], [2, 3], [0, 7], [1]])
    #expect(header.entries.map(\.info.dtype) == [.f32, .bf16, .f64, .i64])
    #expect(
      header.entries.map(\.range)
        == [
          start..<start + 4, start + 4..<start + 16, start + 16..<start + 16,
          start + 16..<start + 24,
        ])
    #expect(header.metadata == ["format": "pt", "x": "ü"])
    #expect(header.fileSize == start + 24)
  }

  @Test("A file without tensors is a good file")
  func readsEmptyHeader() throws {
    #expect(try Self.parse(Self.file("{}", data: 0)).entries.isEmpty)
    #expect(try Self.parse(Self.file("{}      ", data: 0)).entries.isEmpty)
  }

  @Test("Every dtype that the format names is read", arguments: DType.allCases)
  func readsDTypes(dtype: DType) throws {
    let size = 3 * dtype.byteWidth
    let text =
      "{\"t\":{\"dtype\":\"\(dtype.rawValue)\",\"shape\":[3],\"data_offsets\":[0,\(size)]}}"
    #expect(try Self.parse(Self.file(text, data: size)).entries.first?.info.dtype == dtype)
  }

  struct Broken: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let fault: SafetensorsFault

    init(_ what: String, _ header: String, data: Int = 0, _ fault: SafetensorsFault) {
      testDescription = what
      bytes = SafetensorsHeaderTests.file(header, data: data)
      self.fault = fault
    }

    init(_ what: String, bytes: [UInt8], _ fault: SafetensorsFault) {
      testDescription = what
      self.bytes = bytes
      self.fault = fault
    }
  }

  static func entry(
    _ name: String = "t", dtype: String = "\"F32\"", shape: String = "[2]",
    offsets: String = "[0,8]"
  ) -> String {
    "\"\(name)\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  static let corpus: [Broken] = [
    Broken("no bytes at all", bytes: [], .tooShort(0)),
    Broken("half a length", bytes: [2, 0, 0, 0], .tooShort(4)),
    Broken(
      "a length and nothing else", bytes: file("", data: 0, length: 2),
      .headerPastEnd(2, fileSize: 8)),
    Broken(
      "a header of 2^63 bytes", bytes: file("{}", data: 0, length: 1 << 63), .headerTooLong(1 << 63)
    ),
    Broken(
      "a header of 2^64 - 1 bytes", bytes: file("{}", data: 0, length: .max), .headerTooLong(.max)),
    Broken(
      "a header of one byte more than 100 MB", bytes: file("{}", data: 0, length: 100_000_001),
      .headerTooLong(100_000_001)),
    Broken(
      "a header of 100 MB that is not there", bytes: file("{}", data: 0, length: 100_000_000),
      .headerPastEnd(100_000_000, fileSize: 10)),
    Broken("an empty header", bytes: file("", data: 8), .notJSON("it does not begin with \"{\"")),
    Broken("a blank before the header", " {}", .notJSON("it does not begin with \"{\"")),
    Broken("a list", "[]", .notJSON("it does not begin with \"{\"")),
    Broken(
      "no dtype", "{\"t\":{\"shape\":[],\"data_offsets\":[0,4]}}", data: 4, .field("dtype", "t")),
    Broken("a dtype that is a number", "{\(entry(dtype: "4"))}", data: 8, .field("dtype", "t")),
    Broken("an unknown dtype", "{\(entry(dtype: "\"F33\""))}", data: 8, .unknownDType("F33", "t")),
    Broken(
      "a dtype in lower case", "{\(entry(dtype: "\"f32\""))}", data: 8, .unknownDType("f32", "t")),
    Broken("a sub-byte dtype", "{\(entry(dtype: "\"F4\""))}", data: 8, .unknownDType("F4", "t")),
    Broken(
      "no shape", "{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", data: 4,
      .field("shape", "t")),
    Broken("a shape that is a number", "{\(entry(shape: "2"))}", data: 8, .field("shape", "t")),
    Broken("a negative axis", "{\(entry(shape: "[-2]"))}", data: 8, .field("shape", "t")),
    Broken("two negative axes", "{\(entry(shape: "[-1,-2]"))}", data: 8, .field("shape", "t")),
    Broken("half an axis", "{\(entry(shape: "[2.0]"))}", data: 8, .field("shape", "t")),
    Broken("an axis as text", "{\(entry(shape: "[\"2\"]"))}", data: 8, .field("shape", "t")),
    Broken(
      "an axis beyond 64 bits", "{\(entry(shape: "[18446744073709551618]"))}", data: 8,
      .field("shape", "t")),
    Broken(
      "a shape whose product overflows to what fits",
      "{\(entry(shape: "[4611686018427387904,4]"))}",
      data: 8, .shapeOverflow("t")),
    Broken(
      "a shape that overflows by its dtype alone", "{\(entry(shape: "[4611686018427387904]"))}",
      data: 8, .shapeOverflow("t")),
    Broken(
      "a shape without elements whose other lengths overflow",
      "{\(entry(shape: "[0,4611686018427387904,4]", offsets: "[0,0]"))}", .shapeOverflow("t")),
    Broken(
      "no offsets", "{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", data: 4,
      .field("data_offsets", "t")),
    Broken("one offset", "{\(entry(offsets: "[0]"))}", data: 8, .field("data_offsets", "t")),
    Broken("three offsets", "{\(entry(offsets: "[0,8,8]"))}", data: 8, .field("data_offsets", "t")),
    Broken(
      "offsets that run backwards", "{\(entry(offsets: "[8,0]"))}", data: 8,
      .field("data_offsets", "t")),
    Broken(
      "a negative offset", "{\(entry(offsets: "[-8,0]"))}", data: 8, .field("data_offsets", "t")),
    Broken(
      "offsets that are no whole numbers", "{\(entry(offsets: "[0,8.5]"))}", data: 8,
      .field("data_offsets", "t")),
    Broken(
      "offsets at the end of the number range",
      "{\(entry(shape: "[0]", offsets: "[9223372036854775807,9223372036854775807]"))}",
      .field("data_offsets", "t")),
    Broken(
      "fewer bytes than the shape needs", "{\(entry(offsets: "[0,4]"))}", data: 4,
      .sizeMismatch("t", stated: 4, computed: 8)),
    Broken(
      "more bytes than the shape needs", "{\(entry(offsets: "[0,9]"))}", data: 9,
      .sizeMismatch("t", stated: 9, computed: 8)),
    Broken("a tensor listed twice", "{\(entry()),\(entry())}", data: 8, .duplicate("t")),
    Broken(
      "a tensor listed twice, once with an escape", "{\(entry()),\(entry("\\u0074"))}", data: 8,
      .duplicate("t")),
    Broken("a hole at the start", "{\(entry(offsets: "[4,12]"))}", data: 12, .holeOrOverlap("t")),
    Broken(
      "a hole between two", "{\(entry("a")),\(entry("b", offsets: "[12,20]"))}", data: 20,
      .holeOrOverlap("b")),
    Broken(
      "two that overlap", "{\(entry("a")),\(entry("b", offsets: "[4,12]"))}", data: 12,
      .holeOrOverlap("b")),
    Broken("two at one place", "{\(entry("a")),\(entry("b"))}", data: 8, .holeOrOverlap("b")),
    Broken("a file cut short", "{\(entry())}", data: 3, .truncated(missing: 5)),
    Broken("bytes behind the last tensor", "{\(entry())}", data: 11, .trailingBytes(3)),
    Broken("bytes and no tensor", "{}", data: 1, .trailingBytes(1)),
    Broken("a number in the metadata", "{\"__metadata__\":{\"a\":1}}", .metadataNotText("a")),
    Broken(
      "metadata that is a text", "{\"__metadata__\":\"pt\"}", .metadataNotText("__metadata__")),
  ]

  @Test("Every way to be broken has its name", arguments: corpus)
  func namesFault(broken: Broken) {
    #expect(Self.fault(broken.bytes) == broken.fault)
  }

  @Test(
    "What is not JSON is refused as such",
    arguments: [
      "{", "{}x", "{\"t\":}", "{'t':1}", "{\"t\":1,}", "{\"t\":NaN}", "{\"t\u{0}\":1}",
    ])
  func refusesNoJSON(text: String) {
    let fault = Self.fault(Self.file(text, data: 0))
    guard case .notJSON = fault else {
      Issue.record("\(text) gives \(String(describing: fault))")
      return
    }
  }

  @Test("Bytes that are not UTF-8 are refused")
  func refusesBrokenText() {
    var bytes = Self.file("{\"tt\":{}}", data: 0)
    bytes[11] = 0xff
    guard case .notJSON = Self.fault(bytes) else {
      Issue.record("read as text")
      return
    }
  }

  @Test("Lists and objects nested 10^5 deep are refused without a deep stack")
  func refusesDeepNesting() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let depth = 100_000
      let text =
        "{\"t\":" + String(repeating: open, count: depth) + "1"
        + String(repeating: close, count: depth) + "}"
      guard case .notJSON = Self.fault(Self.file(text, data: 0)) else {
        Issue.record("accepted")
        return
      }
    }
  }

  @Test(
    "Ten thousand random changes to a good file never crash, and what is accepted holds together")
  func survivesMutations() throws {
    let text =
      "{\"__metadata__\":{\"format\":\"pt\"},\(Self.entry("a")),"
      + "\(Self.entry("b", dtype: "\"BF16\"", shape: "[2,3]", offsets: "[8,20]"))}"
    let good = Self.file(text, data: 20)
    var state: UInt64 = 42
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let pieces = Array("0123456789-+.eE{}[]\",:\\ u\u{0}\u{ff}".utf8)
    for _ in 0..<10_000 {
      var bytes = good
      for _ in 0...random(4) {
        let place = random(bytes.count)
        switch random(4) {
        case 0: bytes[place] = pieces[random(pieces.count)]
        case 1: bytes.insert(pieces[random(pieces.count)], at: place)
        case 2: bytes.remove(at: place)
        default: bytes[place] = UInt8(random(256))
        }
      }
      guard let header = try? Self.parse(bytes) else { continue }
      var end = bytes.count - header.entries.reduce(0) { $0 + $1.range.count }
      for entry in header.entries {
        #expect(entry.range.lowerBound == end)
        #expect(entry.range.count == entry.info.byteCount)
        end = entry.range.upperBound
      }
      #expect(end == bytes.count)
    }
  }

  @Test("A file on disk is read the same way, and its faults carry its path")
  func readsFiles() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("model.safetensors")
      let bytes = Self.file("{\(Self.entry())}", data: 8)
      try FileSystem.write(bytes, to: path)
      #expect(try SafetensorsFile.header(of: path) == Self.parse(bytes))
      for size in 0..<bytes.count {
        try File(path, .update).truncate(to: size)
        try FileSystem.write(Array(bytes.prefix(size)), to: path)
        let error = #expect(throws: WeightsError.self) { try SafetensorsFile.header(of: path) }
        guard case .brokenSafetensors(path, _) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
      }
      #expect(throws: StorageError.self) {
        try SafetensorsFile.header(of: folder.appending("none"))
      }
    }
  }

  @Test("Every fault says what is wrong in words", arguments: corpus)
  func describes(broken: Broken) {
    #expect(!broken.fault.description.isEmpty)
    #expect(!broken.fault.description.contains("SafetensorsFault"))
  }
}
