// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage

/// Reads a file line by line.
final class LineReader {
  private static let lineLimit = 64 << 20
  private static let pieceSize = 1 << 20

  private let file: File
  private let size: Int
  private var offset = 0
  private var buffer: ArraySlice<UInt8> = []

  init(_ file: File) throws {
    self.file = file
    size = try file.size
  }

  /// The next line without its end; nil at the end of the file.
  ///
  /// - Throws: `HubFailure` 413 for a line of more than 64 MiB.
  func next() throws -> [UInt8]? {
    var searched = buffer.startIndex
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[..<end])
        buffer = buffer[(end + 1)...]
        return line
      }
      guard offset < size else { break }
      guard buffer.count <= Self.lineLimit else { throw HubFailure.tooLarge(limit: Self.lineLimit) }
      let piece = try file.bytes(at: offset, count: min(Self.pieceSize, size - offset))
      offset += piece.count
      let known = buffer.count
      buffer = Array(buffer)[...] + piece
      searched = buffer.startIndex + known
    }
    defer { buffer = [] }
    return buffer.isEmpty ? nil : Array(buffer)
  }
}
