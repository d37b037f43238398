// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The bytes of one file that will be read, one after the other.
package struct PlannedRead: Hashable, Sendable {
  /// Index of the file in the reader's list.
  package let file: Int
  package let range: Range<Int>

  package init(file: Int, range: Range<Int>) {
    self.file = file
    self.range = range
  }
}

/// Planned reads as the requests that bring them: long ones cut, neighbours joined.
struct ReadPlan {
  /// A range that one request brings.
  struct Piece: Hashable, Sendable {
    let file: Int
    var range: Range<Int>
    /// The bytes of it that will be read; with them the piece is used up.
    var wanted: Int
  }

  private(set) var pieces: [Piece] = []

  /// Bytes that are fetched in vain to spare a request.
  private static let tolerableGap = 64 << 10
  /// How many pieces back a read may join one: what is fetched early has to be kept.
  private static let reach = 16

  /// - Parameter length: Bytes of a piece at most.
  init(_ reads: [PlannedRead], pieceLength length: Int) {
    for read in reads where !read.range.isEmpty {
      for start in stride(from: read.range.lowerBound, to: read.range.upperBound, by: length) {
        append(read.file, start..<min(start + length, read.range.upperBound), length)
      }
    }
  }

  private mutating func append(_ file: Int, _ range: Range<Int>, _ length: Int) {
    let index = pieces.suffix(Self.reach).lastIndex { piece in
      guard piece.file == file, range.lowerBound >= piece.range.upperBound else { return false }
      return range.lowerBound - piece.range.upperBound <= Self.tolerableGap
        && range.upperBound - piece.range.lowerBound <= length
    }
    guard let index else {
      pieces.append(Piece(file: file, range: range, wanted: range.count))
      return
    }
    pieces[index].range = pieces[index].range.lowerBound..<range.upperBound
    pieces[index].wanted += range.count
  }
}
