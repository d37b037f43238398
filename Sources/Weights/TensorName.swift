// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The name of a tensor in a checkpoint, such as `model.layers.0.mlp.up_proj.weight`.
///
/// Compared by its UTF-8 bytes: two spellings that Swift's `String` takes for the same text are two names.
package struct TensorName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  package let text: String

  package init(_ text: String) { self.text = text }
  package init(stringLiteral text: String) { self.text = text }

  package var description: String { text }

  package static func == (a: TensorName, b: TensorName) -> Bool {
    a.withBytes { x in
      b.withBytes { y in
        guard let p = x.baseAddress, let q = y.baseAddress else { return x.isEmpty && y.isEmpty }
        return x.count == y.count && memcmp(p, q, x.count) == 0
      }
    }
  }

  package func hash(into hasher: inout Hasher) {
    withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension TensorName: Comparable {
  /// The order in which people count: runs of digits compare as numbers, so that layer 2 comes before
  /// layer 10.
  package static func < (a: TensorName, b: TensorName) -> Bool {
    a.withBytes { x in b.withBytes { y in precedes(x, y) } }
  }

  private static func precedes(_ x: UnsafeBufferPointer<UInt8>, _ y: UnsafeBufferPointer<UInt8>)
    -> Bool
  {
    var i = 0
    var j = 0
    while i < x.count, j < y.count {
      if isDigit(x[i]), isDigit(y[j]) {
        let left = takeNumber(x, &i)
        let right = takeNumber(y, &j)
        if left.count != right.count { return left.count < right.count }
        for (p, q) in zip(left, right) where x[p] != y[q] { return x[p] < y[q] }
      } else if x[i] != y[j] {
        return x[i] < y[j]
      } else {
        i += 1
        j += 1
      }
    }
    // Names that differ only in leading zeros are told apart by their bytes.
    if i == x.count, j == y.count { return x.lexicographicallyPrecedes(y) }
    return i == x.count
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  /// The digits from `place` on without leading zeros; moves `place` behind them.
  private static func takeNumber(_ text: UnsafeBufferPointer<UInt8>, _ place: inout Int)
    -> Range<Int>
  {
    while place < text.count, text[place] == 48 { place += 1 }
    let start = place
    while place < text.count, isDigit(text[place]) { place += 1 }
    return start..<place
  }
}

extension TensorName {
  /// Calls `body` with the name's UTF-8 bytes.
  package func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
    var copy = text
    return copy.withUTF8(body)
  }

  /// Whether the name's bytes end with those of a text.
  package func hasSuffix(_ ending: String) -> Bool {
    withBytes { bytes in
      var ending = ending
      return ending.withUTF8 { other in
        guard bytes.count >= other.count else { return false }
        guard let end = bytes.baseAddress, let start = other.baseAddress else { return true }
        return memcmp(end + (bytes.count - other.count), start, other.count) == 0
      }
    }
  }
}
