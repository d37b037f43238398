// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Where each row of an output tensor comes from, for one model: a view through which its
/// embedding, its head or any other tensor with a row for each token is read.
package struct RowMap: Hashable, Sendable {
  /// A row of the same tensor in some model.
  package struct Place: Hashable, Sendable {
    /// Index of the model in the plan.
    package let model: Int
    package let row: Int

    package init(model: Int, row: Int) {
      self.model = model
      self.row = row
    }
  }

  package enum Source: Hashable, Sendable {
    /// Rows that follow one another, from this one on.
    case rows(from: Place)
    /// The mean of rows of several models, and then of the rows that follow each.
    case mean(of: [Place])
    case zero
    /// The mean of the first rows of this very map, `averagedCount` of them.
    case average
  }

  /// Output rows that come from one source.
  package struct Segment: Hashable, Sendable {
    package let rows: Range<Int>
    package let source: Source
  }

  /// One after the other, without gaps, from row 0 on.
  package private(set) var segments: [Segment] = []
  /// How many rows there are.
  package var count: Int { segments.last?.rows.upperBound ?? 0 }
  /// How many rows `average` is the mean of: those before the first of its own kind.
  package var averagedCount: Int {
    segments.first { $0.source == .average }?.rows.lowerBound ?? count
  }

  package init() {}

  /// The first rows of a model as they are.
  package init(first count: Int, of model: Int) {
    if count > 0 { append(.rows(from: Place(model: model, row: 0)), count: count) }
  }

  /// Adds rows at the end, joined with the last segment where the one goes on as the other.
  package mutating func append(_ source: Source, count: Int = 1) {
    guard count > 0 else { return }
    let end = self.count
    if let last = segments.last, last.source.moved(by: last.rows.count) == source {
      segments[segments.count - 1] = Segment(
        rows: last.rows.lowerBound..<end + count, source: last.source)
    } else {
      segments.append(Segment(rows: end..<end + count, source: source))
    }
  }

  /// The segments that some output rows belong to, cut to them.
  package func segments(in rows: Range<Int>) -> some Sequence<Segment> {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].rows.upperBound <= rows.lowerBound {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return segments[low...].lazy.prefix { $0.rows.lowerBound < rows.upperBound }.map {
      let part = $0.rows.clamped(to: rows)
      return Segment(
        rows: part, source: $0.source.moved(by: part.lowerBound - $0.rows.lowerBound))
    }
  }

  /// Whether this is the whole tensor of a model as it is.
  package func isIdentity(of model: Int, rows: Int) -> Bool {
    segments == RowMap(first: rows, of: model).segments
  }

  /// The models that rows come from.
  package var models: Set<Int> {
    segments.reduce(into: []) { models, segment in
      switch segment.source {
      case .rows(let place): models.insert(place.model)
      case .mean(let places): models.formUnion(places.map(\.model))
      case .zero, .average: break
      }
    }
  }
}

extension RowMap.Source {
  /// The source of the row that many rows later.
  func moved(by count: Int) -> Self {
    switch self {
    case .rows(let place): .rows(from: place.moved(by: count))
    case .mean(let places): .mean(of: places.map { $0.moved(by: count) })
    case .zero, .average: self
    }
  }
}

extension RowMap.Place {
  fileprivate func moved(by count: Int) -> Self { Self(model: model, row: row + count) }
}
