// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The rows of a tensor as a row map puts them together from those of several models.
struct LoadedRows: Sendable {
  private let map: RowMap
  /// Elements in a row.
  private let width: Int
  /// The tensors that rows come from, by their models, not rounded.
  private let sources: [Int: InputTensor]
  /// The mean of the rows that the map averages; empty if it does not.
  private var average: [Double] = []

  init(_ map: RowMap, width: Int, from sources: [Int: InputTensor]) throws {
    self.map = map
    self.width = width
    self.sources = sources
    if map.segments.contains(where: { $0.source == .average }) {
      average = try mean(ofFirst: map.averagedCount)
    }
  }

  /// The values of elements, counted in the tensor that the map makes.
  func values<S: Scalar>(_ elements: Range<Int>, into buffer: UnsafeMutablePointer<S>) throws {
    try forEachPart(of: elements) { part, source in
      let target = buffer + (part.lowerBound - elements.lowerBound)
      switch source {
      case .rows(let place):
        try sources[place.model]?.values(self.elements(at: place, for: part), into: target)
      case .mean(let places): try mean(places, part, into: target)
      case .zero: target.update(repeating: 0, count: part.count)
      case .average:
        for element in part { target[element - part.lowerBound] = S(average[element % width]) }
      }
    }
  }

  /// Whether an element is finite before it is rounded to what is computed in.
  func isFinite(_ element: Int) throws -> Bool {
    var isFinite = true
    try forEachPart(of: element..<element + 1) { part, source in
      switch source {
      case .rows(let place):
        isFinite =
          try sources[place.model]?.isFinite(elements(at: place, for: part).lowerBound) ?? true
      case .mean(let places):
        isFinite = try places.allSatisfy { place in
          try sources[place.model]?.isFinite(elements(at: place, for: part).lowerBound) ?? true
        }
      case .zero: break
      case .average: isFinite = average[element % width].isFinite
      }
    }
    return isFinite
  }

  /// Calls `body` with runs of elements, each with the source of its first row.
  private func forEachPart(
    of elements: Range<Int>, _ body: (Range<Int>, RowMap.Source) throws -> Void
  )
    rethrows
  {
    guard !elements.isEmpty else { return }
    let rows = elements.lowerBound / width..<(elements.upperBound + width - 1) / width
    for segment in map.segments(in: rows) {
      let part = segment.rows.lowerBound * width..<segment.rows.upperBound * width
      try body(part.clamped(to: elements), segment.source)
    }
  }

  /// Where the elements of a part are, its first row being at a place.
  private func elements(at place: RowMap.Place, for part: Range<Int>) -> Range<Int> {
    let start = place.row * width + part.lowerBound % width
    return start..<start + part.count
  }

  private func mean<S: Scalar>(
    _ places: [RowMap.Place], _ part: Range<Int>, into target: UnsafeMutablePointer<S>
  ) throws {
    target.update(repeating: 0, count: part.count)
    try withUnsafeTemporaryAllocation(of: S.self, capacity: part.count) { values in
      guard let start = values.baseAddress else { return }
      for place in places {
        try sources[place.model]?.values(elements(at: place, for: part), into: start)
        S.add(target, start, into: target, count: part.count)
      }
    }
    for index in 0..<part.count { target[index] /= S(places.count) }
  }

  /// One pass over the first rows, before the merge of the tensor begins.
  private func mean(ofFirst count: Int) throws -> [Double] {
    var sums = [Double](repeating: 0, count: width)
    let step = max(1, blockCapacity / max(1, width))
    try withUnsafeTemporaryAllocation(of: Double.self, capacity: step * width) { values in
      guard let start = values.baseAddress else { return }
      for first in stride(from: 0, to: count, by: step) {
        let rows = first..<min(first + step, count)
        try self.values(rows.lowerBound * width..<rows.upperBound * width, into: start)
        sums.withUnsafeMutableBufferPointer { sums in
          guard let sums = sums.baseAddress else { return }
          for row in 0..<rows.count {
            Double.add(sums, start + row * width, into: sums, count: width)
          }
        }
      }
    }
    return sums.map { $0 / Double(max(1, count)) }
  }
}
