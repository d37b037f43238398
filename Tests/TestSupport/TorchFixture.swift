// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Pickles as Python writes them, made by hand.
package struct PickleScript {
  package private(set) var bytes: [UInt8] = [0x80, 2]

  package init() {}

  package static let mark = UInt8(ascii: "(")
  package static let stop = UInt8(ascii: ".")

  package mutating func op(_ codes: UInt8...) { bytes += codes }
  package mutating func op(_ code: Character) { bytes.append(code.asciiValue ?? 0) }

  package mutating func text(_ text: String) {
    op("X")
    bytes += Self.little(text.utf8.count, 4) + Array(text.utf8)
  }

  package mutating func int(_ value: Int) {
    if (0...255).contains(value) {
      op("K")
      bytes.append(UInt8(value))
    } else {
      bytes += [0x8a, 8] + Self.little(value, 8)
    }
  }

  package mutating func global(_ module: String, _ name: String) {
    op("c")
    bytes += Array("\(module)\n\(name)\n".utf8)
  }

  package mutating func tuple(_ values: [Int]) {
    op("(")
    for value in values { int(value) }
    op("t")
  }

  /// An empty `OrderedDict`.
  package mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    op(")")
    op("R")
  }

  package mutating func storage(_ view: TorchView, items: Int = 5) {
    op("(")
    text("storage")
    global(view.type == "UntypedStorage" ? "torch.storage" : "torch", view.type)
    text(view.key)
    text("cpu")
    int(view.count)
    if items == 6 { op("N") }
    op("t")
    op("Q")
  }

  /// A tensor as `_rebuild_tensor_v2` makes it, or `_v3` if the view has a dtype of its own.
  package mutating func tensor(_ view: TorchView, storageItems: Int = 5) {
    if view.isParameter {
      global("torch._utils", "_rebuild_parameter")
      op("(")
    }
    global("torch._utils", view.dtype == nil ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3")
    op("(")
    storage(view, items: storageItems)
    int(view.offset)
    tuple(view.shape)
    tuple(view.strides)
    op(0x89)
    orderedDictionary()
    if let dtype = view.dtype { global("torch", dtype) }
    op("t")
    op("R")
    if view.isParameter {
      op(0x88)
      orderedDictionary()
      op("t")
      op("R")
    }
  }

  /// A dictionary of tensors.
  package mutating func dictionary(_ views: [TorchView], storageItems: Int = 5) {
    orderedDictionary()
    op("(")
    for view in views {
      text(view.name)
      tensor(view, storageItems: storageItems)
    }
    op("u")
  }

  package static func of(_ views: [TorchView], storageItems: Int = 5) -> [UInt8] {
    var script = PickleScript()
    script.dictionary(views, storageItems: storageItems)
    return script.bytes + [stop]
  }

  package static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// A tensor in a storage.
package struct TorchView {
  package var name: String
  package var key = "0"
  package var type = "FloatStorage"
  /// Elements of the storage; bytes if it is untyped.
  package var count: Int
  package var offset = 0
  package var shape: [Int]
  package var strides: [Int]
  package var dtype: String?
  package var isParameter = false

  package init(
    name: String, key: String = "0", type: String = "FloatStorage", count: Int, offset: Int = 0,
    shape: [Int], strides: [Int], dtype: String? = nil, isParameter: Bool = false
  ) {
    self.name = name
    self.key = key
    self.type = type
    self.count = count
    self.offset = offset
    self.shape = shape
    self.strides = strides
    self.dtype = dtype
    self.isParameter = isParameter
  }
}

/// A zip archive as PyTorch's writer makes it, which can be bent out of shape.
package struct ZipScript {
  package struct Entry {
    package var name: String
    package var bytes: [UInt8]
    package var method = 0
    package var flags = 0x808
    /// The name in the header before the bytes.
    package var localName: String?
    /// Where the directory says that the entry is, if not where it is.
    package var statedOffset: Int?
    /// How long the directory says that it is.
    package var statedSize: Int?

    package init(name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  package var entries: [Entry]
  package var hasWideEnd = true
  package var trailing: [UInt8] = []
  package var leading: [UInt8] = []

  package init(_ entries: [Entry]) { self.entries = entries }

  /// An archive with a pickle and storages.
  package init(pickle: [UInt8], storages: [String: [UInt8]], stem: String = "archive") {
    entries =
      [Entry(name: "\(stem)/data.pkl", bytes: pickle)]
      + storages.sorted { $0.key < $1.key }.map { Entry(name: "\(stem)/data/\($0)", bytes: $1) }
      + [Entry(name: "\(stem)/version", bytes: Array("3\n".utf8))]
  }

  package var bytes: [UInt8] {
    let little = PickleScript.little
    var file = leading
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.statedOffset ?? file.count
      let size = entry.statedSize ?? entry.bytes.count
      let name = Array(entry.name.utf8)
      let local = Array((entry.localName ?? entry.name).utf8)
      // Data begins at a multiple of 64, after a field that only fills.
      let padding = (64 - (file.count + 30 + local.count + 4) % 64) % 64
      file += [0x50, 0x4b, 3, 4] + little(0, 2) + little(entry.flags, 2) + little(entry.method, 2)
      file += little(0, 16) + little(local.count, 2) + little(padding + 4, 2) + local
      file += [0x46, 0x42] + little(padding, 2) + [UInt8](repeating: 0x5a, count: padding)
      file += entry.bytes
      file += [0x50, 0x4b, 7, 8] + little(0, 4) + little(size, 4) + little(size, 4)
      directory += [0x50, 0x4b, 1, 2] + little(0, 4) + little(entry.flags, 2)
      directory += little(entry.method, 2) + little(0, 8) + little(size, 4) + little(size, 4)
      directory += little(name.count, 2) + little(0, 12) + little(offset, 4) + name
    }
    let start = file.count
    file += directory
    if hasWideEnd {
      let end = file.count
      file += [0x50, 0x4b, 6, 6] + little(44, 8) + little(0, 4) + little(0, 8)
      file += little(entries.count, 8) + little(entries.count, 8)
      file += little(directory.count, 8) + little(start, 8)
      file += [0x50, 0x4b, 6, 7] + little(0, 4) + little(end, 8) + little(1, 4)
    }
    file += [0x50, 0x4b, 5, 6] + little(0, 4) + little(entries.count, 2)
    file += little(entries.count, 2) + little(directory.count, 4) + little(start, 4) + little(0, 2)
    return file + trailing
  }
}

extension TorchArchive {
  package init(_ bytes: [UInt8]) throws {
    try self.init(size: bytes.count) { Array(bytes[$0]) }
  }
}

extension [Float] {
  /// Their bytes, little endian.
  package var littleEndianBytes: [UInt8] { flatMap { PickleScript.little(Int($0.bitPattern), 4) } }
}
