// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension JSONNode {
  /// The members of an object, in order, repeated keys included; empty for anything else.
  package var members: Members {
    Members(contents: contents, position: index + 1, left: kind == .object ? count : 0)
  }
  /// The elements of an array, in order; empty for anything else.
  package var elements: Elements {
    Elements(contents: contents, position: index + 1, left: kind == .array ? count : 0)
  }

  /// A key of an object and its value.
  package struct Member: Sendable {
    package let key: JSONKey
    package let value: JSONNode
    /// Where the key is written, quotes included.
    let keyRange: Range<Int>
  }

  package struct Members: Sequence, IteratorProtocol, Sendable {
    fileprivate let contents: JSONDocument.Contents
    fileprivate var position: Int
    fileprivate var left: Int

    package var underestimatedCount: Int { left }

    package mutating func next() -> Member? {
      guard left > 0 else { return nil }
      left -= 1
      let key = JSONNode(contents, position)
      let value = JSONNode(contents, position + 1)
      position = contents.tape.entries[position + 1].following
      return Member(key: key.decodedKey, value: value, keyRange: key.range)
    }
  }

  package struct Elements: Sequence, IteratorProtocol, Sendable {
    fileprivate let contents: JSONDocument.Contents
    fileprivate var position: Int
    fileprivate var left: Int

    package var underestimatedCount: Int { left }

    package mutating func next() -> JSONNode? {
      guard left > 0 else { return nil }
      left -= 1
      defer { position = contents.tape.entries[position].following }
      return JSONNode(contents, position)
    }
  }

  /// The value of a key; of the last one if the key is repeated, as in Python. A walk over the
  /// members.
  package subscript(key: String) -> JSONNode? {
    let key = JSONKey(key)
    var value: JSONNode?
    for member in members where member.key == key { value = member.value }
    return value
  }

  /// An element of an array. A walk over the ones before it.
  package subscript(position: Int) -> JSONNode? {
    guard position >= 0, position < count else { return nil }
    return elements.dropFirst(position).first { _ in true }
  }

  /// The first key of this object that has occurred before in it.
  package var repeatedKey: JSONKey? {
    var seen = Set<JSONKey>(minimumCapacity: count)
    return members.first { !seen.insert($0.key).inserted }?.key
  }
}
