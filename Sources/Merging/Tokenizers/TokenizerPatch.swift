// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The changes to a tokenizer's files that make them those of the output.
///
/// Tokens without weights go, new ones are put behind the others; every other byte stays.
package struct TokenizerPatch: Sendable {
  /// Files that are written instead of being copied, by name.
  package internal(set) var files: [(name: String, bytes: [UInt8])] = []
  /// What could not be done, and why.
  package internal(set) var warnings: [String] = []

  let tokenizer: Tokenizer
  private let appended: [AddedToken]
  let stripped: [(text: JSONKey, id: Int)]

  /// - Throws: `TokenizerError` if the files do not allow it.
  package init(_ tokenizer: Tokenizer, for vocabulary: OutputVocabulary) throws {
    self.tokenizer = tokenizer
    appended = vocabulary.appended
    stripped = vocabulary.stripped
    guard !appended.isEmpty || !stripped.isEmpty else { return }
    let end = vocabulary.tokens.count
    let (appended, stripped) = (appended, stripped)
    try patch("tokenizer.json", tokenizer.document) { document throws(TokenizerFault) in
      try document.patched(appended: appended, stripped: stripped, end: end)
    }
    let configEdits = tokenizer.config.map(decoderEdits) ?? []
    try patch("tokenizer_config.json", tokenizer.config) { config throws(TokenizerFault) in
      try config.patched(configEdits)
    }
    let mapEdits = tokenizer.specialTokens.map(specialEdits) ?? []
    try patch("special_tokens_map.json", tokenizer.specialTokens) { map throws(TokenizerFault) in
      try map.patched(mapEdits)
    }
    try patchList()
    try patchWords()
    try patchPieces()
  }

  mutating func patch<Source>(
    _ name: String, _ source: Source?, _ body: (Source) throws(TokenizerFault) -> JSONDocument
  ) throws {
    guard let source else { return }
    do throws(TokenizerFault) { files.append((name, try body(source).bytes)) } catch {
      throw TokenizerError(file: tokenizer.files.path(name), fault: error)
    }
  }

  // MARK: JSON beside tokenizer.json

  private func decoderEdits(_ config: JSONDocument) -> [JSONEdit] {
    var edits = specialEdits(config)
    guard let decoder = config.root["added_tokens_decoder"] else {
      // Python alone knows the added tokens of a tokenizer without tokenizer.json.
      if tokenizer.document == nil, !appended.isEmpty {
        let all = tokenizer.vocabulary.added + appended
        edits.append(
          .set(
            ["added_tokens_decoder"],
            to: .object(all.map { JSON.Member(String($0.id), $0.decoderEntry) })))
      }
      return edits
    }
    let present = Set(decoder.members.map(\.key))
    for token in stripped where present.contains(JSONKey(String(token.id))) {
      guard !appended.contains(where: { $0.id == token.id }) else { continue }
      edits.append(.remove(["added_tokens_decoder", .key(String(token.id))]))
    }
    for token in appended {
      edits.append(
        .set(["added_tokens_decoder", .key(String(token.id))], to: token.decoderEntry))
    }
    return edits
  }

  /// New special tokens in the list of those without a role, where there is such a list.
  private func specialEdits(_ document: JSONDocument) -> [JSONEdit] {
    let key = "additional_special_tokens"
    guard let list = document.root[key], list.kind == .array else { return [] }
    let known = Set(list.elements.compactMap { $0.key ?? $0["content"]?.key })
    return appended.filter { $0.flags.isSpecial && !known.contains($0.text) }.enumerated().map {
      .set([.key(key), .index(list.count + $0)], to: .string($1.text.string))
    }
  }

  // MARK: added_tokens.json

  private mutating func patchList() throws {
    let name = "added_tokens.json"
    if let bytes = try tokenizer.files.read(name) {
      let (appended, stripped) = (appended, stripped)
      try patch(name, bytes) { bytes throws(TokenizerFault) in
        let document = try JSONDocument(tokenizerFile: bytes)
        let present = Set(document.root.members.map(\.key))
        let new = Set(appended.map(\.text))
        return try document.patched(
          stripped.filter { present.contains($0.text) && !new.contains($0.text) }.map {
            .remove([.key($0.text.string)])
          } + appended.map { .set([.key($0.text.string)], to: .int($0.id)) })
      }
    } else if tokenizer.document == nil, !appended.isEmpty {
      let all = tokenizer.vocabulary.added + appended
      let list = JSON.object(all.map { JSON.Member($0.text.string, .int($0.id)) })
      files.append((name, list.bytes(.pretty(indent: 2)) + [UInt8(ascii: "\n")]))
    }
  }

  // MARK: tokenizer.model

  /// Appends pieces for all tokens behind the last one, if their ids follow one another.
  private mutating func patchPieces() throws {
    let name = "tokenizer.model"
    guard let first = appended.first, let bytes = try tokenizer.files.read(name) else { return }
    do throws(TokenizerFault) {
      let model = try SentencePieceModel(parsing: bytes)
      let count = model.pieces.count
      let own = tokenizer.vocabulary.added.filter { $0.id >= count && $0.id < first.id }
      let new = own + appended
      guard new.map(\.id) == Array(count..<count + new.count) else {
        warnings.append(
          "\(name) has \(count) pieces and the new tokens begin at \(first.id): it is taken over "
            + "without them")
        return
      }
      let pieces = new.map {
        SentencePieceModel.Piece(text: $0.text, type: $0.flags.isSpecial ? .control : .userDefined)
      }
      files.append((name, try model.appending(pieces)))
    } catch {
      warnings.append("\(name) is taken over without the new tokens: \(error)")
    }
  }
}

extension TokenizerDocument {
  /// This tokenizer with tokens taken out and others put behind all that remain.
  ///
  /// - Parameter end: The number of ids of the result.
  func patched(
    appended: [AddedToken], stripped: [(text: JSONKey, id: Int)], end: Int
  ) throws(TokenizerFault) -> JSONDocument {
    var edits: [JSONEdit] = []
    let root = document.root
    if !stripped.isEmpty { edits += strippingEdits(Set(stripped.map(\.text))) }
    if let list = root["added_tokens"], list.kind == .array {
      edits += appended.enumerated().map {
        .set(["added_tokens", .index(list.count + $0)], to: $1.tokenizerEntry)
      }
    } else if !appended.isEmpty {
      edits.append(.set(["added_tokens"], to: .array(appended.map(\.tokenizerEntry))))
    }
    edits += numberingEdits(appended, stripped)
    let result = try document.patched(edits)
    // The library gives out ids by its own rules: what counts is what it will read.
    let vocabulary = try TokenizerDocument(result, sharingWith: self).vocabulary
    for token in appended where vocabulary.id(of: token.text) != token.id {
      throw .unplaceable(
        token: token.text.string, wanted: token.id, given: vocabulary.id(of: token.text))
    }
    guard vocabulary.end <= end else { throw .idOutOfRange(vocabulary.end - 1) }
    return result
  }

  /// Lists new tokens among the words, too, where they would get another id otherwise: if the ids of the words
  /// have gaps.
  private func numberingEdits(
    _ appended: [AddedToken], _ stripped: [(text: JSONKey, id: Int)]
  ) -> [JSONEdit] {
    let gone = Set(stripped.map(\.text))
    var count = vocabulary.words.ids.count - gone.count { vocabulary.words.ids[$0] != nil }
    var highest = vocabulary.added.last { !gone.contains($0.text) }?.id ?? -1
    return appended.compactMap { token in
      let given = max(count, highest + 1)
      highest = max(highest, token.id)
      guard given != token.id, vocabulary.kind != .unigram else { return nil }
      count += 1
      return .set(["model", "vocab", .key(token.text.string)], to: .int(token.id))
    }
  }

  /// Takes words and added tokens out, and the merges that need them.
  private func strippingEdits(_ gone: Set<JSONKey>) -> [JSONEdit] {
    let root = document.root
    var edits: [JSONEdit] = []
    for (index, entry) in (root["added_tokens"].map { Array($0.elements) } ?? []).enumerated() {
      if let text = entry["content"]?.key, gone.contains(text) {
        edits.append(.remove(["added_tokens", .index(index)]))
      }
    }
    let words = vocabulary.words.ids
    if vocabulary.kind == .unigram {
      edits += words.filter { gone.contains($0.key) }.values.sorted().map {
        .remove(["model", "vocab", .index($0)])
      }
      return edits
    }
    edits += gone.filter { words[$0] != nil }.map { .remove(["model", "vocab", .key($0.string)]) }
    let prefix = root["model"]?["continuing_subword_prefix"]?.key?.bytes ?? []
    let merges = root["model"]?["merges"].map { Array($0.elements) } ?? []
    for (index, rule) in merges.enumerated() {
      guard let (left, right) = rule.mergeParts else { continue }
      let tail =
        right.bytes.starts(with: prefix) ? right.bytes.dropFirst(prefix.count) : right.bytes
      if [left, right, JSONKey(bytes: left.bytes + tail)].contains(where: gone.contains) {
        edits.append(.remove(["model", "merges", .index(index)]))
      }
    }
    return edits
  }
}
