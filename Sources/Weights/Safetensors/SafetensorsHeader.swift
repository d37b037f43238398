// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The header of a safetensors file, checked as strictly as the format's reference implementation does.
///
/// A file is eight bytes (header length N, little endian), N bytes of JSON, and the tensors' bytes, which
/// cover the rest of the file without holes or overlaps.
/// Source: the format description of the safetensors project.
package struct SafetensorsHeader: ShardHeader, Hashable, Sendable {
  /// The tensors in the order of their bytes.
  package let entries: [TensorEntry]
  package let metadata: [String: String]
  /// Length of the whole file in bytes.
  package let fileSize: Int

  /// The longest header that is read, the same limit as the reference implementation's.
  package static let maximumLength = 100_000_000

  /// More than the product of a shape's lengths, those that are 0 left out.
  private static let maximumExtent = 1 << 60

  /// Length in bytes of the header text, from the file's first eight bytes.
  package static func length(prefix: [UInt8], fileSize: Int) throws(SafetensorsFault) -> Int {
    guard prefix.count >= 8, fileSize >= 8 else { throw .tooShort(fileSize) }
    let length = prefix[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(maximumLength) else { throw .headerTooLong(length) }
    guard Int(length) <= fileSize - 8 else { throw .headerPastEnd(Int(length), fileSize: fileSize) }
    return Int(length)
  }

  /// Parses the header text (without the eight bytes before it) of a file of `fileSize` bytes.
  package init(text: [UInt8], fileSize: Int) throws(SafetensorsFault) {
    guard text.first == UInt8(ascii: "{") else { throw .notJSON("it does not begin with \"{\"") }
    let root: JSONNode
    do throws(JSONError) {
      root = try JSONDocument(parsing: text).root
    } catch {
      throw .notJSON("\(error)")
    }
    guard root.kind == .object else { throw .notJSON("it is not an object") }

    let dataStart = 8 + text.count
    var entries: [TensorEntry] = []
    entries.reserveCapacity(root.count)
    var names = Set<TensorName>(minimumCapacity: root.count)
    var metadata: [String: String] = [:]
    for member in root.members {
      if member.key == "__metadata__" {
        guard member.value.kind == .object else { throw .metadataNotText("__metadata__") }
        for item in member.value.members {
          guard let text = item.value.string else { throw .metadataNotText(item.key.string) }
          metadata[item.key.string] = text
        }
        continue
      }
      let name = TensorName(member.key.string)
      guard names.insert(name).inserted else { throw .duplicate(name) }
      entries.append(try Self.entry(name, member.value, dataStart: dataStart, fileSize: fileSize))
    }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }

    var end = dataStart
    for entry in entries {
      guard entry.range.lowerBound == end else { throw .holeOrOverlap(entry.info.name) }
      end = entry.range.upperBound
    }
    guard end == fileSize else {
      throw end < fileSize ? .trailingBytes(fileSize - end) : .truncated(missing: end - fileSize)
    }
    self.entries = entries
    self.metadata = metadata
    self.fileSize = fileSize
  }

  private static func entry(_ name: TensorName, _ json: JSONNode, dataStart: Int, fileSize: Int)
    throws(SafetensorsFault) -> TensorEntry
  {
    guard let dtypeName = json["dtype"]?.string else { throw .field("dtype", name) }
    guard let dtype = DType(rawValue: dtypeName) else { throw .unknownDType(dtypeName, name) }
    guard let axes = json["shape"], axes.kind == .array else { throw .field("shape", name) }
    guard let offsets = json["data_offsets"].map({ Array($0.elements) }), offsets.count == 2,
      let begin = offsets[0].int, let end = offsets[1].int, begin >= 0, end >= begin
    else { throw .field("data_offsets", name) }

    var shape: [Int] = []
    var bytes = dtype.byteWidth
    var extent = 1
    for axis in axes.elements {
      guard let length = axis.int, length >= 0 else { throw .field("shape", name) }
      let (product, overflow) = bytes.multipliedReportingOverflow(by: length)
      // Also of a tensor without elements: parts of its shape are multiplied too.
      let (reach, isBoundless) = extent.multipliedReportingOverflow(by: max(1, length))
      guard !overflow, !isBoundless, reach <= maximumExtent else { throw .shapeOverflow(name) }
      bytes = product
      extent = reach
      shape.append(length)
    }
    guard end - begin == bytes else {
      throw .sizeMismatch(name, stated: end - begin, computed: bytes)
    }
    guard end <= Int.max - dataStart else { throw .field("data_offsets", name) }
    return TensorEntry(
      info: TensorInfo(name: name, dtype: dtype, shape: shape),
      range: dataStart + begin..<dataStart + end)
  }
}

/// What is wrong with a safetensors file. Every way to be broken has its own name.
package enum SafetensorsFault: Error, Hashable, Sendable {
  case tooShort(Int)
  case headerTooLong(UInt64)
  case headerPastEnd(Int, fileSize: Int)
  case notJSON(String)
  case metadataNotText(String)
  case field(String, TensorName)
  case unknownDType(String, TensorName)
  case shapeOverflow(TensorName)
  case sizeMismatch(TensorName, stated: Int, computed: Int)
  case duplicate(TensorName)
  case holeOrOverlap(TensorName)
  case truncated(missing: Int)
  case trailingBytes(Int)
}

extension SafetensorsFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooShort(let size): "only \(size) bytes long"
    case .headerTooLong(let length):
      "its header claims \(length) bytes, more than the format allows"
    case .headerPastEnd(let length, let size):
      "its header claims \(length) bytes, but the file has only \(size)"
    case .notJSON(let reason): "its header is not valid JSON: \(reason)"
    case .metadataNotText(let key): "its metadata value \"\(key)\" is not a string"
    case .field(let field, let name): "\"\(field)\" of \(name) is missing or malformed"
    case .unknownDType(let dtype, let name): "\(name) has the unknown dtype \"\(dtype)\""
    case .shapeOverflow(let name): "the shape of \(name) overflows"
    case .sizeMismatch(let name, let stated, let computed):
      "\(name) occupies \(stated) bytes, but its shape and dtype need \(computed)"
    case .duplicate(let name): "\(name) is listed twice"
    case .holeOrOverlap(let name):
      "the bytes of \(name) do not follow those of the tensor before it"
    case .truncated(let missing): "it is truncated: \(missing) bytes are missing at its end"
    case .trailingBytes(let count): "\(count) bytes at its end belong to no tensor"
    }
  }
}
