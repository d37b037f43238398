// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("PyTorch archives that are refused")
struct TorchFaultTests {
  static let view = TorchView(name: "a", count: 4, shape: [4], strides: [1])
  static let storage = TorchArchiveTests.numbers(4)

  static func fault(_ bytes: [UInt8]) -> TorchFault? {
    do {
      _ = try TorchArchive(bytes)
      return nil
    } catch {
      return error as? TorchFault
    }
  }

  /// The fault of an archive with a pickle of one's own.
  static func fault(storages: [String: [UInt8]]? = nil, _ write: (inout PickleScript) -> Void)
    -> TorchFault?
  {
    var script = PickleScript()
    write(&script)
    return fault(
      ZipScript(
        pickle: script.bytes + [PickleScript.stop], storages: storages ?? ["0": storage]
      ).bytes)
  }

  /// The fault of an archive with one tensor that is bent out of shape.
  static func viewFault(_ change: (inout TorchView) -> Void) -> TorchFault? {
    var view = view
    change(&view)
    return fault(
      ZipScript(pickle: PickleScript.of([view]), storages: ["0": storage]).bytes)
  }

  static func zipFault(_ change: (inout ZipScript) -> Void) -> TorchFault? {
    var zip = ZipScript(pickle: PickleScript.of([view]), storages: ["0": storage])
    change(&zip)
    return fault(zip.bytes)
  }

  // MARK: Pickles

  @Test(
    "A name that could run something is refused before anything is called",
    arguments: [
      ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"),
      ("subprocess", "Popen"), ("torch", "load"), ("torch.hub", "load"), ("torch._utils", "x"),
      ("torch.serialization", "_load"), ("numpy", "load"), ("collections", "defaultdict"),
      ("torch", "torch.float32"), ("torch", "QInt8Storage"),
    ])
  func globals(module: String, name: String) {
    let fault = Self.fault { script in
      script.global(module, name)
      script.op("(")
      script.text("touch /tmp/owned")
      script.op("t")
      script.op("R")
    }
    #expect(fault == .global("\(module).\(name)"))
    let onStack = Self.fault { script in
      script.text(module)
      script.text(name)
      script.op(0x93)
    }
    #expect(onStack == .global("\(module).\(name)"))
  }

  @Test(
    "Operations that tensors do not need do not exist",
    arguments: [
      "i", "o", "P", "0", "1", "2", "g", "p", "d", "l", "I", "L", "S", "V", "F", "B", "C",
    ])
  func operations(code: Character) {
    let fault = Self.fault { script in
      script.op(code)
      script.text("x")
    }
    #expect(fault == .opcode(code.asciiValue ?? 0, at: 2))
  }

  @Test(
    "Extensions, byte arrays and buffers do not exist either",
    arguments: [0x82, 0x83, 0x84, 0x8b, 0x8e, 0x90, 0x91, 0x92, 0x96, 0x97, 0x98, 0xff] as [UInt8])
  func wideOperations(code: UInt8) {
    #expect(Self.fault { $0.op(code) } == .opcode(code, at: 2))
  }

  @Test("A pickle that is cut off, or takes what is not there")
  func stack() {
    #expect(Self.fault { $0.op("u") } == .noMark)
    #expect(Self.fault { $0.op("R") } == .emptyStack)
    #expect(Self.fault { $0.op("q") } == .emptyStack)
    #expect(Self.fault { $0.op(UInt8(ascii: "h"), 9) } == .unknownMemo(9))
    #expect(Self.fault { $0.op(UInt8(ascii: "X"), 255, 0, 0, 0) } == .truncated)
    #expect(
      Self.fault { $0.op(UInt8(ascii: "("), UInt8(ascii: "N"), UInt8(ascii: "a")) } == .emptyStack)
    #expect(Self.fault { _ in } == .misplaced("its end"))
    // What is before a mark is out of reach.
    let fault = Self.fault { script in
      script.op("N")
      script.op("N")
      script.op("(")
      script.op(0x86)
    }
    #expect(fault == .emptyStack)
  }

  @Test("Counts that promise more than there is are refused without believing them")
  func counts() {
    #expect(Self.fault { $0.op(UInt8(ascii: "X"), 255, 255, 255, 255) } == .tooMuch(.text))
    #expect(Self.fault { $0.op(0x8d, 1, 0, 0, 0, 0, 0, 0, 0x80) } == .overflow)
    #expect(Self.fault { $0.op(UInt8(ascii: "T"), 255, 255, 255, 255) } == .truncated)
    #expect(Self.fault { $0.op(0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9) } == .tooMuch(.integers))
  }

  @Test("Bombs of operations, containers and remembered values go off in bounded memory")
  func bombs() {
    let many = 2_100_000
    let containers = Self.fault { script in
      script.op("(")
      for _ in 0..<many { script.op(0x5d) }
    }
    #expect(containers == .tooMuch(.containers))
    // Each list contains the one before it twice.
    let doubled = Self.fault { script in
      script.op("]")
      for number in 0..<200 {
        script.op(UInt8(ascii: "q"), UInt8(number))
        script.op("]")
        script.op("(")
        script.op(UInt8(ascii: "h"), UInt8(number))
        script.op(UInt8(ascii: "h"), UInt8(number))
        script.op("e")
        script.op(0x86)
      }
    }
    #expect(doubled == .noTensors)
  }

  @Test("Containers that contain themselves, and deep ones, do no harm")
  func recursion() {
    let cyclic = Self.fault { script in
      script.op("}")
      script.op(UInt8(ascii: "q"), 0)
      script.text("model")
      script.op(UInt8(ascii: "h"), 0)
      script.op("s")
    }
    #expect(cyclic == .noTensors)
    let deep = Self.fault { script in
      script.op(")")
      for _ in 0..<300_000 { script.op(0x85) }
    }
    #expect(deep == .noTensors)
  }

  @Test("Calls whose arguments make no sense")
  func calls() {
    let fault = Self.fault { script in
      script.global("torch._utils", "_rebuild_tensor_v2")
      script.op(")")
      script.op("R")
    }
    #expect(fault == .call("_rebuild_tensor_v2"))
    let nested = Self.fault { script in
      script.global("torch._tensor", "_rebuild_from_type_v2")
      script.op("(")
      script.global("torch._tensor", "_rebuild_from_type_v2")
      script.global("torch", "Tensor")
      script.op(")")
      script.op("N")
      script.op("t")
      script.op("R")
    }
    #expect(nested == .call("_rebuild_from_type_v2"))
    let called = Self.fault { script in
      script.global("torch", "FloatStorage")
      script.op(")")
      script.op("R")
    }
    guard case .call = called else {
      Issue.record("\(String(describing: called))")
      return
    }
    #expect(
      Self.fault {
        $0.text("x")
        $0.op("Q")
      } == .persistentID)
  }

  @Test("Tensors that are not named, and archives without tensors")
  func names() {
    let numbered = Self.fault { script in
      script.op("}")
      script.int(1)
      script.tensor(Self.view)
      script.op("s")
    }
    #expect(numbered == .nameNotText)
    #expect(Self.fault { $0.op("}") } == .noTensors)
    #expect(Self.fault { $0.tensor(Self.view) } == .noTensors)
    #expect(Self.fault { $0.op(UInt8(ascii: "U"), 1, 0xff) } == .notUTF8)
  }

  // MARK: Geometry

  @Test("Tensors that do not lie inside their storage")
  func geometry() {
    #expect(Self.viewFault { $0.offset = 1 } == .outOfStorage)
    #expect(
      Self.viewFault {
        $0.offset = 5
        $0.shape = [0]
      } == .outOfStorage)
    #expect(Self.viewFault { $0.strides = [2] } == .outOfStorage)
    #expect(Self.viewFault { $0.offset = -1 } == .negative)
    #expect(Self.viewFault { $0.strides = [-1] } == .negative)
    #expect(Self.viewFault { $0.shape = [-4] } == .negative)
    #expect(Self.viewFault { $0.count = -4 } == .negative)
    #expect(
      Self.viewFault {
        $0.shape = [5]
        $0.strides = [0]
      } == .repeatedElements)
    #expect(
      Self.viewFault {
        $0.shape = [1 << 40, 1 << 40]
        $0.strides = [0, 0]
      } == .overflow)
    #expect(Self.viewFault { $0.strides = [Int.max] } == .overflow)
    #expect(
      Self.viewFault {
        $0.offset = Int.max
        $0.shape = []
        $0.strides = []
      } == .overflow)
    #expect(Self.viewFault { $0.shape = [2, 2] } == .call("a rebuild function"))
    #expect(
      Self.viewFault {
        $0.shape = [Int](repeating: 1, count: 9)
        $0.strides = $0.shape
      } == .tooManyAxes(9))
  }

  @Test("Storages that are missing, of another size, or described in two ways")
  func storages() {
    #expect(Self.viewFault { $0.key = "1" } == .missingStorage("1"))
    #expect(Self.viewFault { $0.key = "../0" } == .missingStorage("../0"))
    #expect(Self.viewFault { $0.count = 5 } == .storageSize("0", stated: 20, stored: 16))
    #expect(
      Self.viewFault { $0.type = "DoubleStorage" } == .storageSize("0", stated: 32, stored: 16))
    var other = Self.view
    other.name = "b"
    other.type = "IntStorage"
    let bytes = ZipScript(
      pickle: PickleScript.of([Self.view, other]), storages: ["0": Self.storage])
    #expect(Self.fault(bytes.bytes) == .storageConflict("0"))
  }

  // MARK: Containers

  @Test("Zip archives that others might read otherwise")
  func zip() {
    #expect(Self.zipFault { $0.entries[1].method = 8 } == .compressed("archive/data/0"))
    #expect(Self.zipFault { $0.entries[1].flags = 1 } == .encrypted("archive/data/0"))
    #expect(Self.zipFault { $0.entries[1].name = "../x" } == .unsafeName("../x"))
    #expect(Self.zipFault { $0.entries[1].name = "/x" } == .unsafeName("/x"))
    #expect(Self.zipFault { $0.entries[1].name = "a\\x" } == .unsafeName("a\\x"))
    #expect(
      Self.zipFault { $0.entries[1].localName = "archive/data/1" }
        == .headerMismatch("archive/data/0"))
    #expect(
      Self.zipFault { $0.entries[1].statedSize = 1 << 20 } == .overlapping("archive/data/0"))
    let stacked = Self.zipFault { $0.entries[1].statedOffset = 0 }
    let names = ["archive/data.pkl", "archive/data/0"]
    #expect(names.flatMap { [.overlapping($0), .headerMismatch($0)] }.contains(stacked))
    #expect(
      Self.zipFault { $0.entries.append($0.entries[1]) } == .duplicateEntry("archive/data/0"))
    #expect(Self.zipFault { $0.trailing = [0] } == .notWhole)
    #expect(Self.zipFault { $0.leading = [0x50, 0x4b, 3, 4] } == .notWhole)
    #expect(Self.zipFault { $0.entries.remove(at: 0) } == .noPickle)
    #expect(
      Self.zipFault({
        $0.entries.append(.init(name: "other/data.pkl", bytes: []))
      }) == .severalPickles(["archive/data.pkl", "other/data.pkl"]))
    #expect(
      Self.zipFault({
        $0.entries.append(.init(name: "archive/byteorder", bytes: Array("big".utf8)))
      }) == .bigEndian)
    #expect(
      Self.zipFault({
        $0.entries.append(.init(name: "archive/constants.pkl", bytes: []))
      }) == .script)
  }

  @Test("Other formats behind the same file names")
  func formats() {
    #expect(Self.fault([]) == .unknownFormat)
    #expect(Self.fault([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]) == .unknownFormat)
    #expect(Self.fault([0x50, 0x4b, 3, 4]) == .truncated)
    #expect(Self.fault([0x80, 2, 0x7d, 0x2e]) == .unknownFormat)
    var tar = [UInt8](repeating: 0, count: 1024)
    tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
    #expect(Self.fault(tar) == .tar)
  }

  @Test("Files from before the zip form with storages that do not add up")
  func legacy() {
    let whole = TorchArchiveTests.legacy([Self.view], order: ["0"])
    #expect(Self.fault(whole) == nil)
    #expect(Self.fault(Array(whole.dropLast())) == .truncated)
    #expect(Self.fault(whole + [0]) == .notWhole)
    #expect(Self.fault(TorchArchiveTests.legacy([Self.view], order: [])) == .missingStorage("0"))
    #expect(
      Self.fault(TorchArchiveTests.legacy([Self.view], order: ["0", "0"]))
        == .misplaced("the key of a storage"))
    #expect(
      Self.fault(TorchArchiveTests.legacy([Self.view], order: ["0"], littleEndian: false))
        == .bigEndian)
  }

  @Test("Whatever byte is changed, the tensors stay inside the file or the file is refused")
  func flips() {
    var wide = Self.view
    wide.name = "b"
    wide.shape = [2, 2]
    wide.strides = [1, 2]
    let zip = ZipScript(
      pickle: PickleScript.of([Self.view, wide]), storages: ["0": Self.storage])
    for whole in [zip.bytes, TorchArchiveTests.legacy([Self.view, wide], order: ["0"])] {
      for place in whole.indices {
        for value in [whole[place] ^ 1, 0xff] {
          var bytes = whole
          bytes[place] = value
          guard let archive = try? TorchArchive(bytes) else { continue }
          let isInside = archive.entries.allSatisfy {
            (0...whole.count).contains($0.range.lowerBound) && $0.range.upperBound <= whole.count
          }
          #expect(isInside)
        }
      }
    }
  }
}
