// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// New text in the place of a range of a document's bytes.
struct JSONSplice {
  let range: Range<Int>
  let text: [UInt8]
  /// The edit that wants it.
  let path: [JSONPathComponent]
}

/// The edits whose places are in one array or object.
struct JSONContainerEdit {
  let container: JSONNode
  /// How the container itself is laid out.
  let layout: JSONLayout
  var edits: [JSONEdit] = []

  func splices(in bytes: [UInt8]) throws(JSONEditError) -> [JSONSplice] {
    let items = container.items(upTo: .max)
    let inner = layout.inside(container, in: bytes)
    let places = Dictionary(grouping: items.indices) { items[$0].key }

    var splices: [JSONSplice] = []
    var added: [(path: [JSONPathComponent], text: [UInt8])] = []
    var removed: [Int: [JSONPathComponent]] = [:]
    for edit in edits {
      let found: [Int] =
        switch edit.path.last {
        case .key(let key): container.kind == .object ? places[JSONKey(key)] ?? [] : []
        case .index(let index): container.kind == .array && items.indices ~= index ? [index] : []
        case nil: []
        }
      switch edit {
      case .set(let path, let value):
        if let place = found.last {
          splices.append(
            JSONSplice(range: items[place].value.range, text: inner.text(of: value), path: path))
        } else {
          guard let text = addition(path, value, inner, count: items.count + added.count) else {
            throw .notFound(path)
          }
          added.append((path, text))
        }
      case .remove(let path):
        guard !found.isEmpty else { throw .notFound(path) }
        for place in found where removed.updateValue(path, forKey: place) != nil {
          throw .conflict(path)
        }
      }
    }
    var paths: Set<[JSONPathComponent]> = []
    for (path, _) in added where !paths.insert(path).inserted { throw .conflict(path) }
    return splices + structural(items, inner, added, removed)
  }

  /// The text of what is to be added at the end; nil if the path does not mean the end.
  private func addition(
    _ path: [JSONPathComponent], _ value: JSON, _ inner: JSONLayout, count: Int
  ) -> [UInt8]? {
    switch (path.last, container.kind) {
    case (.key(let key), .object): inner.text(of: JSON.Member(key, value))
    case (.index(count), .array): inner.text(of: value)
    default: nil
    }
  }

  private func structural(
    _ items: [JSONNode.Item], _ inner: JSONLayout,
    _ added: [(path: [JSONPathComponent], text: [UInt8])], _ removed: [Int: [JSONPathComponent]]
  ) -> [JSONSplice] {
    let addition = Array(added.map(\.text).joined(separator: Array(inner.separator.utf8)))
    let addedPath = added.first?.path
    guard let firstKept = items.indices.first(where: { removed[$0] == nil }) else {
      // Only the added remain, or nothing at all, not even the blanks.
      guard let path = addedPath ?? removed.values.first else { return [] }
      let inside = container.range.lowerBound + 1..<container.range.upperBound - 1
      let text =
        added.isEmpty ? [] : inner.lineStart.utf8 + addition + inner.closing(layout).utf8
      return [JSONSplice(range: inside, text: text, path: path)]
    }

    var splices = removed.map { place, path in
      // An item goes with the comma before it; those before the first that stays, with the comma
      // after them.
      let range =
        place < firstKept
        ? items[place].range.lowerBound..<items[place + 1].range.lowerBound
        : items[place - 1].range.upperBound..<items[place].range.upperBound
      return JSONSplice(range: range, text: [], path: path)
    }
    if let addedPath, let end = items.last?.range.upperBound {
      splices.append(
        JSONSplice(range: end..<end, text: inner.separator.utf8 + addition, path: addedPath))
    }
    return splices
  }
}

extension JSONLayout {
  func text(of value: JSON) -> [UInt8] {
    var text: [UInt8] = []
    write(value, to: &text)
    return text
  }

  func text(of member: JSON.Member) -> [UInt8] {
    var text: [UInt8] = []
    write(member, to: &text)
    return text
  }

  /// What precedes the closing bracket of a container that has this layout inside and `outer`
  /// outside.
  fileprivate func closing(_ outer: JSONLayout) -> String {
    unit == nil ? "" : newline + outer.indentation
  }
}
