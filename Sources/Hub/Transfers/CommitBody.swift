// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage

/// One change that a commit makes.
enum CommitOperation: Sendable {
  case add(StagedFile)
  case delete(path: String)
}

/// The body of a commit request: one JSON document a line, contents in base64 made while they are sent.
struct CommitBody: Sendable {
  private enum Piece: Sendable {
    case text([UInt8])
    case base64(UploadFile)

    var length: Int {
      switch self {
      case .text(let bytes): bytes.count
      case .base64(let file): Base64.length(of: file.size)
      }
    }
  }

  private let pieces: [Piece]
  /// Where each piece begins, and where the last one ends.
  private let offsets: [Int]

  init(
    title: String, description: String, parent: CommitID?, _ operations: [CommitOperation]
  ) {
    let header = JSON.object([
      "summary": .string(title), "description": .string(description),
      "parentCommit": parent.map { .string($0.hex) },
    ])
    let pieces = [Self.line("header", header)] + operations.flatMap(Self.pieces)
    self.pieces = pieces
    offsets = pieces.reduce(into: [0]) { offsets, piece in
      offsets.append(offsets[offsets.count - 1] + piece.length)
    }
  }

  private static func line(_ key: String, _ value: JSON) -> Piece {
    let json = JSON.object(["key": .string(key), "value": value])
    return .text(Array((json.serialized(.compact) + "\n").utf8))
  }

  private static func pieces(_ operation: CommitOperation) -> [Piece] {
    switch operation {
    case .add(let staged):
      switch staged.content {
      case .regular(let file, _):
        let path = JSON.string(file.path).serialized(.compact)
        return [
          .text(Array(#"{"key":"file","value":{"path":\#(path),"content":""#.utf8)),
          .base64(file),
          .text(Array("\",\"encoding\":\"base64\"}}\n".utf8)),
        ]
      case .large(let pointer, _):
        let value = JSON.object([
          "path": .string(staged.path), "algo": .string("sha256"),
          "oid": .string(pointer.digest.hex), "size": .int(pointer.size),
        ])
        return [line("lfsFile", value)]
      }
    case .delete(let path):
      return [line("deletedFile", .object(["path": .string(path)]))]
    }
  }

  var body: HTTPBody {
    HTTPBody(length: offsets[offsets.count - 1]) { buffer, offset in
      var done = 0
      while done < buffer.count {
        done += try read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: offset + done)
      }
    }
  }

  /// Reads from one piece; the number of bytes read.
  private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    // The last piece that begins at or before the offset and is not empty.
    var (low, high) = (0, pieces.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if offsets[middle] <= offset { low = middle } else { high = middle }
    }
    let start = offset - offsets[low]
    let count = min(buffer.count, pieces[low].length - start)
    switch pieces[low] {
    case .text(let bytes): buffer.copyBytes(from: bytes[start..<start + count])
    case .base64(let file):
      // Four characters stand for three bytes: read the groups around what is asked for.
      let groups = start / 4..<(start + count + 3) / 4
      let source = groups.lowerBound * 3..<min(groups.upperBound * 3, file.size)
      let text = Base64.encode(try file.bytes(source))
      let skip = start - groups.lowerBound * 4
      buffer.copyBytes(from: text[skip..<skip + count])
    }
    return count
  }
}
