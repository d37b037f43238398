// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Learns a byte-pair encoding: again and again the most frequent pair of neighbours becomes one symbol.
///
/// Symbols are numbers: below 256 the bytes, from there on the pairs in the order they were learnt.
/// Among pairs of one frequency the one with the lower numbers comes first.
struct BytePairTrainer {
  struct Pair: Hashable, Comparable {
    let left: Int
    let right: Int

    static func < (a: Pair, b: Pair) -> Bool { (a.left, a.right) < (b.left, b.right) }
  }

  private var words: [(symbols: [Int], count: Int)]
  private var counts: [Pair: Int] = [:]
  /// Words that have, or have had, a pair.
  private var places: [Pair: Set<Int>] = [:]
  private var queue = Heap()

  init(_ text: [UInt8]) {
    var found: [ArraySlice<UInt8>: Int] = [:]
    for word in Self.words(of: text) { found[word, default: 0] += 1 }
    words = found.map { (symbols: $0.key.map(Int.init), count: $0.value) }
    for (index, word) in words.enumerated() {
      for pair in Self.pairs(word.symbols) {
        counts[pair, default: 0] += word.count
        places[pair, default: []].insert(index)
      }
    }
    for (pair, count) in counts { queue.insert(.init(count: count, pair: pair)) }
  }

  /// The pairs that become symbols, at most `limit`; fewer if no other pair occurs twice.
  mutating func learn(limit: Int) -> [Pair] {
    var learnt: [Pair] = []
    while learnt.count < limit, let next = queue.removeLargest() {
      // Counts change all the time; an entry of the queue counts only if it is up to date.
      guard counts[next.pair] == next.count, next.count > 1 else { continue }
      merge(next.pair, into: 256 + learnt.count)
      learnt.append(next.pair)
    }
    return learnt
  }

  private mutating func merge(_ pair: Pair, into symbol: Int) {
    var changed: Set<Pair> = []
    for index in places[pair] ?? [] {
      let (old, count) = words[index]
      let new = Self.merging(pair, into: symbol, old)
      guard new.count < old.count else { continue }
      for pair in Self.pairs(old) {
        counts[pair, default: 0] -= count
        changed.insert(pair)
      }
      for pair in Self.pairs(new) {
        counts[pair, default: 0] += count
        places[pair, default: []].insert(index)
        changed.insert(pair)
      }
      words[index].symbols = new
    }
    counts[pair] = nil
    places[pair] = nil
    for pair in changed {
      if let count = counts[pair] { queue.insert(.init(count: count, pair: pair)) }
    }
  }

  private static func pairs(_ symbols: [Int]) -> [Pair] {
    zip(symbols, symbols.dropFirst()).map { Pair(left: $0, right: $1) }
  }

  private static func merging(_ pair: Pair, into symbol: Int, _ symbols: [Int]) -> [Int] {
    var merged: [Int] = []
    for next in symbols {
      if next == pair.right, merged.last == pair.left {
        merged[merged.count - 1] = symbol
      } else {
        merged.append(next)
      }
    }
    return merged
  }

  /// Cuts text as GPT-2 does, roughly: runs of letters, of digits, of blanks, of anything else, each with
  /// the blank before it.
  private static func words(of text: [UInt8]) -> [ArraySlice<UInt8>] {
    var words: [ArraySlice<UInt8>] = []
    var start = 0
    while start < text.count {
      var end = start
      if text[end] == UInt8(ascii: " "), end + 1 < text.count, Kind(text[end + 1]) != .blank {
        end += 1
      }
      let kind = Kind(text[end])
      while end < text.count, Kind(text[end]) == kind { end += 1 }
      // The last blank of a run belongs to the word after it.
      if kind == .blank, end < text.count, end - start > 1, text[end - 1] == UInt8(ascii: " ") {
        end -= 1
      }
      words.append(text[start..<end])
      start = end
    }
    return words
  }

  private enum Kind {
    case letter, digit, blank, other

    init(_ byte: UInt8) {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 128...:
        self = .letter
      case UInt8(ascii: "0")...UInt8(ascii: "9"): self = .digit
      case UInt8(ascii: " "), 9...13: self = .blank
      default: self = .other
      }
    }
  }
}

/// Pairs by frequency.
private struct Heap {
  struct Entry: Comparable {
    let count: Int
    let pair: BytePairTrainer.Pair

    static func < (a: Entry, b: Entry) -> Bool {
      a.count != b.count ? a.count < b.count : a.pair > b.pair
    }
  }

  private var entries: [Entry] = []

  mutating func insert(_ entry: Entry) {
    entries.append(entry)
    var child = entries.count - 1
    while child > 0, entries[(child - 1) / 2] < entries[child] {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeLargest() -> Entry? {
    guard let last = entries.indices.last else { return nil }
    entries.swapAt(0, last)
    let largest = entries.removeLast()
    var parent = 0
    while 2 * parent + 1 < entries.count {
      var child = 2 * parent + 1
      if child + 1 < entries.count, entries[child] < entries[child + 1] { child += 1 }
      if entries[child] <= entries[parent] { break }
      entries.swapAt(child, parent)
      parent = child
    }
    return largest
  }
}
