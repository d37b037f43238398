// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The index of a JSON text: one entry of 16 bytes for every value and every key, in the order of
/// the text.
///
/// An entry knows where its value lies in the text and which entry follows its subtree, so that a
/// walk skips what it does not need. A member of an object is two entries: the key, then the value.
struct JSONTape: Sendable {
  /// Offsets have 32 bits and counts 28, which this limit keeps both inside.
  static let sizeLimit = 1 << 29
  static let depthLimit = 256

  struct Entry: Sendable {
    var start: UInt32
    var end: UInt32
    /// Index of the entry after this one's subtree.
    var next: UInt32
    /// Kind in bits 0–2, "has escapes" in bit 3, number of elements or members above.
    var info: UInt32

    init(_ kind: JSONNode.Kind, start: Int, end: Int = 0, next: Int = 0, isEscaped: Bool = false) {
      self.start = UInt32(start)
      self.end = UInt32(end)
      self.next = UInt32(next)
      info = UInt32(kind.rawValue) | (isEscaped ? 8 : 0)
    }

    var kind: JSONNode.Kind { JSONNode.Kind(rawValue: UInt8(info & 7)) ?? .null }
    var isEscaped: Bool { info & 8 != 0 }
    var count: Int { Int(info >> 4) }
    var following: Int { Int(next) }
    var range: Range<Int> { Int(start)..<Int(end) }
    mutating func countOne() { info += 16 }
  }

  var entries: [Entry] = []
}
