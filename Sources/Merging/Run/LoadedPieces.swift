// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// A tensor that is read from several others.
struct LoadedPieces: Sendable {
  /// By their first rows; those that share rows have all rows in common.
  private let pieces: [(place: TensorPiece, input: InputTensor)]
  /// Elements in a row of the whole.
  private let width: Int

  /// - Parameter inputs: One for each piece.
  init(_ pieces: [TensorPiece], width: Int, _ inputs: [InputTensor]) {
    self.pieces = zip(pieces, inputs).map { (place: $0, input: $1) }.sorted {
      $0.place.firstRow < $1.place.firstRow
    }
    self.width = width
  }

  /// The values of elements, counted in the whole.
  func values<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) throws {
    guard width > 0 else { return }
    var next = elements.lowerBound
    while next < elements.upperBound {
      let row = next / width
      guard let first = firstPiece(at: row) else { return }
      let place = pieces[first].place
      let target = buffer + (next - elements.lowerBound)
      if place.width == width {
        // The piece has its rows for itself, which lie one after the other.
        let end = min(elements.upperBound, place.rows.upperBound * width)
        let start = next - place.firstRow * width
        try pieces[first].input.values(start..<start + end - next, into: target)
        next = end
      } else {
        let end = min(elements.upperBound, (row + 1) * width)
        let columns = next - row * width..<end - row * width
        for piece in pieces[first...].prefix(while: { $0.place.firstRow == place.firstRow }) {
          try Self.scatter(piece.place, piece.input, row, columns, into: target)
        }
        next = end
      }
    }
  }

  /// The first of the pieces that have a row.
  private func firstPiece(at row: Int) -> Int? {
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].place.rows.upperBound <= row { low = middle + 1 } else { high = middle }
    }
    return low < pieces.count && pieces[low].place.rows.contains(row) ? low : nil
  }

  /// Puts a piece's part of a row in its places.
  ///
  /// - Parameter target: Room for the columns.
  private static func scatter<S: Scalar>(
    _ place: TensorPiece, _ input: InputTensor, _ row: Int, _ columns: Range<Int>,
    into target: UnsafeMutablePointer<S>
  ) throws {
    let step = place.columnStep
    // The piece's elements whose columns are wanted.
    let low = max(0, (columns.lowerBound - place.firstColumn + step - 1) / step)
    let high = min(place.width, (columns.upperBound - place.firstColumn + step - 1) / step)
    guard low < high else { return }
    let start = (row - place.firstRow) * place.width
    try withUnsafeTemporaryAllocation(of: S.self, capacity: high - low) { part in
      guard let values = part.baseAddress else { return }
      try input.values(start + low..<start + high, into: values)
      let first = target + (place.firstColumn + low * step - columns.lowerBound)
      for index in 0..<high - low { first[index * step] = values[index] }
    }
  }
}
