// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A JSON text that is kept byte for byte: order and repetition of keys, escapes, spelling of
/// numbers and white space all survive.
///
/// Parsing checks the text (RFC 8259, UTF-8, at most 256 levels and 512 MiB, a byte order mark is
/// allowed) and builds an index of 16 bytes per value; strings and numbers are read out of the text
/// when they are asked for. What is changed in it is spliced into the text: see `applying(_:)`.
package struct JSONDocument: Sendable {
  /// The text as it was given, or as the edits left it.
  package var bytes: [UInt8] { contents.bytes }
  /// The one value of the text.
  package var root: JSONNode { JSONNode(contents, 0) }

  private let contents: Contents

  /// The text and its index, shared by all cursors into them.
  final class Contents: Sendable {
    let bytes: [UInt8]
    let tape: JSONTape

    init(_ bytes: [UInt8], _ tape: JSONTape) {
      self.bytes = bytes
      self.tape = tape
    }
  }

  package init(parsing bytes: [UInt8]) throws(JSONError) {
    contents = Contents(bytes, try JSONScanner.tape(of: bytes))
  }

  package init(parsing text: String) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }
}

extension JSON {
  /// The value that a text spells; see `JSONDocument` for what is accepted.
  ///
  /// Half a surrogate pair (`\ud800` alone) becomes U+FFFD: only a `JSONDocument` can keep it.
  package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
    try JSONDocument(parsing: bytes).root.json
  }

  package static func parse(_ text: String) throws(JSONError) -> JSON {
    try parse(Array(text.utf8))
  }
}
