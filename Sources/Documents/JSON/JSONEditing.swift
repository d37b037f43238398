// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension JSONDocument {
  /// This document with a value replaced or added; see `JSONEdit.set(_:to:)`.
  package func setting(
    _ path: [JSONPathComponent], to value: JSON
  ) throws(JSONEditError) -> JSONDocument {
    try applying([.set(path, to: value)])
  }

  /// This document without an element or a key.
  package func removing(_ path: [JSONPathComponent]) throws(JSONEditError) -> JSONDocument {
    try applying([.remove(path)])
  }

  /// This document with all the edits made, every other byte being as it was.
  ///
  /// Paths are those of this document, before any edit. New text is laid out like the text around
  /// it: one line or many, indentation, blanks after colons and commas.
  package func applying(_ edits: [JSONEdit]) throws(JSONEditError) -> JSONDocument {
    let bytes = bytes
    var splices: [JSONSplice] = []
    var containers: [Int: JSONContainerEdit] = [:]
    // Found once: in a text of one line the whole of it is looked through for the end of the line.
    let outermost = JSONLayout(of: self)
    for edit in edits {
      if edit.path.isEmpty {
        guard case .set(let path, let value) = edit else { throw .removesDocument }
        var layout = outermost.inside(root, in: bytes)
        layout.indentation = ""
        splices.append(JSONSplice(range: root.range, text: layout.text(of: value), path: path))
      } else {
        let (container, layout) = try container(of: edit.path, outermost, in: bytes)
        containers[
          container.index, default: JSONContainerEdit(container: container, layout: layout)
        ].edits.append(edit)
      }
    }
    for edit in containers.values { splices += try edit.splices(in: bytes) }
    return try splicing(splices, into: bytes)
  }

  private func container(
    of path: [JSONPathComponent], _ outermost: JSONLayout, in bytes: [UInt8]
  ) throws(JSONEditError) -> (JSONNode, JSONLayout) {
    var node = root
    var layout = outermost
    for (depth, component) in path.dropLast().enumerated() {
      let next: JSONNode? =
        switch component {
        case .key(let key): node[key]
        case .index(let index): node[index]
        }
      guard let next else { throw .notFound(Array(path.prefix(depth + 1))) }
      layout = layout.inside(node, in: bytes)
      node = next
    }
    return (node, layout)
  }

  private func splicing(
    _ splices: [JSONSplice], into bytes: [UInt8]
  ) throws(JSONEditError) -> JSONDocument {
    let splices = splices.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count + splices.reduce(0) { $0 + $1.text.count })
    var position = 0
    for splice in splices {
      guard splice.range.lowerBound >= position else { throw .conflict(splice.path) }
      output += bytes[position..<splice.range.lowerBound]
      output += splice.text
      position = splice.range.upperBound
    }
    output += bytes[position...]
    do { return try JSONDocument(parsing: output) } catch { throw .invalidResult(error) }
  }
}

extension JSONNode {
  /// The part of an array or object that is added and removed as a whole: an element, or a key with
  /// its value.
  struct Item {
    /// Empty for an element.
    let key: JSONKey
    let keyEnd: Int
    let range: Range<Int>
    let value: JSONNode
  }

  func items(upTo limit: Int) -> [Item] {
    if kind == .object {
      return members.prefix(limit).map { member in
        let range = member.keyRange.lowerBound..<member.value.range.upperBound
        return Item(
          key: member.key, keyEnd: member.keyRange.upperBound, range: range, value: member.value)
      }
    }
    return elements.prefix(limit).map { element in
      let range = element.range
      return Item(key: "", keyEnd: range.lowerBound, range: range, value: element)
    }
  }
}
