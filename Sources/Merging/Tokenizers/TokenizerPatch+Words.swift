// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

extension TokenizerPatch {
  /// Takes words that have no weights out of the lists beside tokenizer.json: vocab.json, merges.txt and vocab.txt.
  mutating func patchWords() throws {
    guard let first = stripped.first else { return }
    let gone = Set(stripped.map(\.text))
    try patch("vocab.json", tokenizer.files.read("vocab.json")) { bytes throws(TokenizerFault) in
      let document = try JSONDocument(tokenizerFile: bytes)
      let present = document.root.members.map(\.key).filter(gone.contains)
      return try document.patched(present.map { .remove([.key($0.string)]) })
    }
    try cut("merges.txt") { _, line in
      let parts = line.split(separator: UInt8(ascii: " ")).map(JSONKey.init(bytes:))
      guard parts.count == 2 else { return true }
      let product = JSONKey(bytes: parts[0].bytes + parts[1].bytes)
      return !(parts + [product]).contains(where: gone.contains)
    }
    try cut("vocab.txt") { number, _ in number < first.id }
    for name in ["tokenizer.model", "spiece.model"] {
      guard let bytes = try tokenizer.files.read(name),
        let model = try? SentencePieceModel(parsing: bytes), model.pieces.count > first.id
      else { continue }
      warnings.append(
        "\(name) still has \(model.pieces.count - first.id) pieces that have no row in the embedding"
      )
    }
  }

  /// Leaves lines out of a file; its line ends stay what they are.
  private mutating func cut(
    _ name: String, where isKept: (_ number: Int, _ line: ArraySlice<UInt8>) -> Bool
  ) throws {
    guard let bytes = try tokenizer.files.read(name) else { return }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let kept = lines.enumerated().filter { number, line in
      // What follows the last line end is no line.
      number == lines.count - 1 && line.isEmpty
        || isKept(number, line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }.map(\.element)
    files.append((name, Array(kept.joined(separator: [UInt8(ascii: "\n")]))))
  }
}
