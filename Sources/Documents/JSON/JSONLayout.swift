// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Where values on one level of a text get their blanks and line ends.
struct JSONLayout {
  var keySeparator = ": "
  /// Between the items of one line.
  var itemSeparator = ", "
  /// What each level is indented by more than the one around it; nil for everything on one line.
  var unit: String?
  var newline = "\n"
  /// Of the lines on which the values of this level start.
  var indentation = ""

  /// What precedes the first value of this level, and the closing bracket of the values inside it.
  var lineStart: String { unit == nil ? "" : newline + indentation }
  /// What stands between two values of this level.
  var separator: String { unit == nil ? itemSeparator : "," + lineStart }

  /// The layout of the next level.
  func inside() -> JSONLayout {
    var layout = self
    if let unit { layout.indentation += unit }
    return layout
  }
}

// MARK: - Taken from a text

extension JSONLayout {
  /// The layout of a document's one value.
  init(of document: JSONDocument) {
    let bytes = document.bytes
    let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n"))
    unit = "  "
    if let lineEnd, lineEnd > 0, bytes[lineEnd - 1] == UInt8(ascii: "\r") { newline = "\r\n" }
  }

  /// The layout of what an array or object holds, this one being the layout of the array or object
  /// itself.
  func inside(_ container: JSONNode, in bytes: [UInt8]) -> JSONLayout {
    let items = container.items(upTo: 2)
    guard let first = items.first else { return inside() }
    var layout = self
    if container.kind == .object {
      let separator = bytes[first.keyEnd..<first.value.range.lowerBound]
      if !separator.contains(UInt8(ascii: "\n")) {
        layout.keySeparator = String(decoding: separator, as: UTF8.self)
      }
    }

    let opening = bytes[container.range.lowerBound + 1..<first.range.lowerBound]
    if let lineEnd = opening.lastIndex(of: UInt8(ascii: "\n")) {
      layout.indentation = String(decoding: opening[(lineEnd + 1)...], as: UTF8.self)
      layout.unit =
        layout.indentation.hasPrefix(indentation)
        ? String(layout.indentation.dropFirst(indentation.count)) : unit ?? "  "
      return layout
    }
    layout.unit = nil
    layout.itemSeparator = layout.keySeparator.hasSuffix(" ") ? ", " : ","
    if items.count > 1 {
      let separator = bytes[first.range.upperBound..<items[1].range.lowerBound]
      if !separator.contains(UInt8(ascii: "\n")) {
        layout.itemSeparator = String(decoding: separator, as: UTF8.self)
      }
    }
    return layout
  }
}
