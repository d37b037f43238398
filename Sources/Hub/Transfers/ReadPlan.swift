// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The ranges of files that are going to be read, as the requests that bring them: long ones cut,
/// neighbours joined.
struct ReadPlan {
  /// A range that one request brings.
  struct Piece: Hashable, Sendable {
    let file: Int
    var range: Range<Int>
    /// Bytes of it that are still to be read.
    var left: Int
  }

  private struct Read: Hashable {
    let file: Int
    let range: Range<Int>
  }

  private(set) var pieces: [Piece] = []
  /// The pieces of each file that have bytes left, by where they begin.
  private var index: [Int: [Int]] = [:]
  /// The pieces of each range, with the bytes that they have of it.
  private var reads: [Read: [(piece: Int, count: Int)]] = [:]
  private let length: Int

  /// Bytes that are fetched in vain to spare a request.
  private static let tolerableGap = 64 << 10
  /// How many pieces back a read may join one: what is fetched early has to be kept.
  private static let reach = 16

  /// - Parameter length: Bytes of a piece at most.
  init(pieceLength length: Int) { self.length = length }

  /// Takes up a range.
  ///
  /// - Parameter isOpen: Whether a piece has not been asked for yet, so that it can be made longer.
  /// - Returns: Its pieces in order. Those of a range that is in the plan already stay as they are.
  mutating func add(
    _ file: Int, _ range: Range<Int>, isOpen: (Int) -> Bool
  ) -> [Int] {
    let read = Read(file: file, range: range)
    if let known = reads[read] { return known.map(\.piece) }
    var parts: [(piece: Int, count: Int)] = []
    for start in stride(from: range.lowerBound, to: range.upperBound, by: length) {
      let part = start..<min(start + length, range.upperBound)
      let piece = lastPiece(before: part, of: file, isOpen) ?? newPiece(file, part.lowerBound)
      pieces[piece].range = pieces[piece].range.lowerBound..<part.upperBound
      pieces[piece].left += part.count
      parts.append((piece, part.count))
    }
    reads[read] = parts
    return parts.map(\.piece)
  }

  /// One of the last few pieces, if a part can be joined to it.
  private func lastPiece(
    before part: Range<Int>, of file: Int, _ isOpen: (Int) -> Bool
  ) -> Int? {
    pieces.indices.suffix(Self.reach).last { index in
      let piece = pieces[index]
      return piece.file == file && piece.left > 0
        && part.lowerBound >= piece.range.upperBound
        && part.lowerBound - piece.range.upperBound <= Self.tolerableGap
        && part.upperBound - piece.range.lowerBound <= length && isOpen(index)
    }
  }

  private mutating func newPiece(_ file: Int, _ start: Int) -> Int {
    pieces.append(Piece(file: file, range: start..<start, left: 0))
    let piece = pieces.count - 1
    let place = place(after: start, of: file)
    index[file, default: []].insert(piece, at: place)
    return piece
  }

  /// Takes a range out.
  ///
  /// - Returns: The pieces of which nothing is left to be read.
  mutating func remove(_ file: Int, _ range: Range<Int>) -> [Int] {
    var done: [Int] = []
    for (piece, count) in reads.removeValue(forKey: Read(file: file, range: range)) ?? [] {
      pieces[piece].left -= count
      guard pieces[piece].left == 0 else { continue }
      index[file]?.removeAll { $0 == piece }
      done.append(piece)
    }
    return done
  }

  /// The piece that has the byte at an offset.
  func piece(of file: Int, at offset: Int) -> Int? {
    // Pieces seldom overlap: those that begin before the offset, from the last one on.
    index[file]?[..<place(after: offset, of: file)].reversed().prefix(16)
      .first { pieces[$0].range.contains(offset) }
  }

  /// Where the next piece of a file begins behind an offset.
  func startOfPiece(of file: Int, after offset: Int) -> Int? {
    guard let order = index[file] else { return nil }
    let place = place(after: offset, of: file)
    return place < order.count ? pieces[order[place]].range.lowerBound : nil
  }

  /// Where in a file's index the pieces begin that start behind an offset.
  private func place(after offset: Int, of file: Int) -> Int {
    guard let order = index[file] else { return 0 }
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[order[middle]].range.lowerBound > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
