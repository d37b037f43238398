// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A README.md: the metadata between two lines of `---`, and the text under it.
package struct ModelCard: Sendable, Hashable {
  /// The metadata, an object; empty if there is none.
  package var metadata: JSON
  /// What follows the metadata, with the line ends of the file.
  package var body: String

  package init(metadata: JSON = .object([] as [JSON.Member]), body: String) {
    self.metadata = metadata
    self.body = body
  }

  /// Takes a card apart; a file without metadata is all body.
  ///
  /// A byte order mark, blank lines before the metadata and CRLF are accepted.
  /// - Throws: `YAMLError` with the place in the file if the metadata are not a YAML mapping.
  package init(parsing text: String) throws(YAMLError) {
    let bytes = Array(text.utf8)
    guard let block = FrontMatterBlock(in: bytes) else {
      let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
      self.init(body: String(decoding: bytes[mark...], as: UTF8.self))
      return
    }
    let metadata: JSON
    do throws(YAMLError) {
      let documents = try YAML.parse(Array(bytes[block.content]))
      let root = documents.first
      guard documents.count <= 1, root?.isNull != false || root?.mapping != nil else {
        throw YAMLError(
          "the metadata are not one mapping", at: SourceLocation(line: 1, column: 1))
      }
      metadata = root?.mapping == nil ? .object([] as [JSON.Member]) : root?.json ?? .null
    } catch {
      throw YAMLError(
        error.message,
        at: SourceLocation(
          line: error.location.line + block.firstLine - 1, column: error.location.column))
    }
    self.init(
      metadata: metadata, body: String(decoding: bytes[block.bodyStart...], as: UTF8.self))
  }

  /// The file: metadata in the order they have here, then the body.
  package var text: String {
    guard metadata.members?.isEmpty == false else { return body }
    let block = "---\n\(metadata.yaml)---\n"
    guard body.utf8.contains(UInt8(ascii: "\r")) else { return block + body }
    return block.split(separator: "\n").map { $0 + "\r\n" }.joined() + body
  }

  /// A value that may be one string or a list of strings.
  package func strings(_ key: String) -> [String] {
    if let text = metadata[key]?.string { return [text] }
    return metadata[key]?.array?.compactMap(\.string) ?? []
  }
}

/// Where the metadata of a card are, in bytes.
private struct FrontMatterBlock {
  let content: Range<Int>
  let bodyStart: Int
  /// The line of the file that the content begins with.
  let firstLine: Int

  init?(in bytes: [UInt8]) {
    var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 1
    var start: Int?
    var firstLine = 1
    while at < bytes.count {
      let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let next = min(end + 1, bytes.count)
      // The marker may be indented where the block begins, not where it ends.
      let text = bytes[at..<end].trimmingBlanks
      if let start {
        if text == Array("---".utf8), bytes[at] == UInt8(ascii: "-") {
          content = start..<at
          bodyStart = next
          self.firstLine = firstLine
          return
        }
      } else if text == Array("---".utf8) {
        start = next
        firstLine = line + 1
      } else if !text.isEmpty {
        return nil
      }
      at = next
      line += 1
    }
    return nil
  }
}

extension ArraySlice<UInt8> {
  fileprivate var trimmingBlanks: [UInt8] {
    let blanks = Array(" \t\r".utf8)
    return Array(drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed())
  }
}
