// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Reading YAML 1.1 as PyYAML's safe loader does, with limits and with places.
///
/// What the loader would accept and is refused here: a key that occurs twice in a mapping, nodes
/// that contain themselves, the tags `!!binary`, `!!omap`, `!!pairs` and `!!set`, and texts beyond
/// the limits.
package enum YAML {
  package static let sizeLimit = 16 << 20
  package static let depthLimit = 64
  /// `%TAG` directives: libyaml compares every one with all before it.
  package static let directiveLimit = 100
  /// Nodes that are written.
  package static let nodeLimit = 1_000_000
  /// Nodes of a document when every alias is replaced by what it stands for.
  package static let weightLimit = 4_000_000

  /// All documents of a stream.
  package static func parse(_ bytes: [UInt8]) throws(YAMLError) -> [YAMLNode] {
    guard bytes.count <= sizeLimit else {
      throw YAMLError(
        "more than \(sizeLimit >> 20) MiB of YAML", at: SourceLocation(line: 1, column: 1))
    }
    try checkDirectives(bytes)
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    return try text.withUnsafeBufferPointer { buffer throws(YAMLError) in
      let builder = YAMLTreeBuilder(YAMLEvents(of: buffer))
      return try builder.documents()
    }
  }

  private static func checkDirectives(_ bytes: [UInt8]) throws(YAMLError) {
    let directive = Array("%TAG".utf8)
    var line = 1
    var count = 0
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "\n") {
        line += 1
      } else if byte == directive[0], bytes[index...].starts(with: directive) {
        count += 1
        guard count <= directiveLimit else {
          throw YAMLError(
            "more than \(directiveLimit) directives", at: SourceLocation(line: line, column: 1))
        }
      }
    }
  }

  /// The one document of a text; none, or more than one, is an error.
  package static func parseOne(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
    let documents = try parse(bytes)
    guard let first = documents.first else {
      throw YAMLError("there is nothing in it", at: SourceLocation(line: 1, column: 1))
    }
    if documents.count > 1 {
      throw YAMLError(
        "a second document starts here; remove the line '---' before it",
        at: documents[1].location, related: first.location)
    }
    return first
  }

  package static func parseOne(_ text: String) throws(YAMLError) -> YAMLNode {
    try parseOne(Array(text.utf8))
  }
}
