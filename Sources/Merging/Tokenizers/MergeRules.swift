// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The order in which byte-pair encoding joins pieces, in any of the three forms that files have.
enum MergeRules: Sendable {
  case none
  /// `model.merges` of tokenizer.json: elements `"a b"`, or `["a", "b"]`.
  case list(JSONNode)
  /// merges.txt: a line `a b` for each, after a line that begins with `#version`.
  case lines([UInt8])

  /// Both pieces of each rule with a blank between them.
  var pairs: [ArraySlice<UInt8>] {
    switch self {
    case .none: []
    case .list(let node): node.elements.map(\.mergePair)
    case .lines(let bytes):
      bytes.split(separator: UInt8(ascii: "\n")).map { line in
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      }.enumerated().filter { number, line in
        !line.isEmpty && !(number == 0 && line.starts(with: "#version".utf8))
      }.map(\.element)
    }
  }

  /// Whether the rules are the same; rules that are not known count as such.
  func isSame(as other: MergeRules) -> Bool {
    switch (self, other) {
    case (.none, _), (_, .none): return true
    case (.list(let one), .list(let two)) where one.source == two.source: return true
    default: break
    }
    let pairs = pairs
    let others = other.pairs
    return pairs.count == others.count
      && zip(pairs, others).allSatisfy { $0.count == $1.count && $0.elementsEqual($1) }
  }
}

extension JSONNode {
  /// A rule of `model.merges` as its two pieces with a blank between them.
  fileprivate var mergePair: ArraySlice<UInt8> {
    if let text = key { return text.bytes }
    let parts = elements.compactMap(\.key)
    guard parts.count == 2 else { return [] }
    return parts[0].bytes + [UInt8(ascii: " ")] + parts[1].bytes
  }

  /// The two pieces of a rule.
  var mergeParts: (left: JSONKey, right: JSONKey)? {
    guard let pair = key?.bytes else {
      let parts = elements.compactMap(\.key)
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    guard let blank = pair.firstIndex(of: UInt8(ascii: " ")) else { return nil }
    return (JSONKey(bytes: pair[..<blank]), JSONKey(bytes: pair[(blank + 1)...]))
  }
}
