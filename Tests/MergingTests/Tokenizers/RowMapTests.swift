// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Merging
internal import Testing

@Suite("Row map") struct RowMapTests {
  @Test("Rows that follow one another are one segment") func joining() {
    var map = RowMap()
    for row in 0..<100 { map.append(.row(row, of: 2)) }
    #expect(map.segments.count == 1)
    map.append(.row(7, of: 2))
    map.append(.row(8, of: 2))
    map.append(.zero)
    map.append(.zero)
    #expect(map.segments.count == 3)
    #expect(map.count == 104)
    #expect(map.models == [2])
  }

  @Test("Any part of a map is the same as the whole, cut") func parts() {
    var map = RowMap(first: 5, of: 0)
    map.append(.row(9, of: 1), count: 3)
    map.append(.mean(of: [.init(model: 0, row: 1), .init(model: 1, row: 4)]), count: 2)
    map.append(.average, count: 4)
    let whole = map.sources
    #expect(whole.count == 14)
    for start in 0..<14 {
      for end in start..<14 {
        let part = map.segments(in: start..<end).flatMap { segment in
          segment.rows.map { _ in segment.source }
        }
        #expect(part.count == end - start)
        #expect(map.segments(in: start..<end).map(\.rows).first?.lowerBound ?? start == start)
      }
    }
    #expect(whole[8] == .mean(of: [.init(model: 0, row: 1), .init(model: 1, row: 4)]))
    #expect(whole[9] == .mean(of: [.init(model: 0, row: 2), .init(model: 1, row: 5)]))
    #expect(map.averagedCount == 10)
  }

  @Test("Only the whole of one model's rows is that model's tensor as it is") func identity() {
    #expect(RowMap(first: 5, of: 1).isIdentity(of: 1, rows: 5))
    #expect(!RowMap(first: 5, of: 1).isIdentity(of: 0, rows: 5))
    #expect(!RowMap(first: 5, of: 1).isIdentity(of: 1, rows: 6))
    var map = RowMap(first: 5, of: 1)
    map.append(.zero)
    #expect(!map.isIdentity(of: 1, rows: 5))
  }
}
