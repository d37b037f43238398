// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A tokenizer.json: the whole of a tokenizer in the form of the `tokenizers` library.
package struct TokenizerDocument: Sendable {
  package let document: JSONDocument
  package let vocabulary: Vocabulary
  /// The part that the words are in.
  private let words: JSONNode

  package init(parsing bytes: [UInt8]) throws(TokenizerFault) {
    try self.init(JSONDocument(tokenizerFile: bytes))
  }

  /// - Parameter relative: A tokenizer that probably has the same words, which are then held once for both.
  package init(
    _ document: JSONDocument, sharingWith relative: TokenizerDocument? = nil
  ) throws(TokenizerFault) {
    guard let model = document.root["model"], model.kind == .object else { throw .missing("model") }
    guard let words = model["vocab"] else { throw .missing("model.vocab") }
    let kind = try Self.kind(of: model, words)
    self.document = document
    self.words = words
    let list: WordList
    if let relative, relative.vocabulary.kind == kind, relative.words.source == words.source {
      list = relative.vocabulary.words
    } else {
      list = try WordList(kind == .unigram ? Self.indices(of: words) : Self.ids(of: words))
    }
    vocabulary = try Vocabulary(
      kind: kind, words: list,
      listed: Self.added(in: document.root["added_tokens"]),
      merges: model["merges"].map(MergeRules.list) ?? .none,
      preparation: .array([
        document.root["normalizer"]?.json ?? .null, document.root["pre_tokenizer"]?.json ?? .null,
      ]))
  }

  /// The kind as it is named, or in very old files as the parts of the model tell it.
  private static func kind(
    of model: JSONNode, _ words: JSONNode
  ) throws(TokenizerFault) -> Vocabulary.Kind {
    if let name = model["type"]?.string {
      guard let kind = Vocabulary.Kind(rawValue: name) else { throw .unknownKind(name) }
      return kind
    }
    if model["merges"] != nil { return .bpe }
    if words.kind == .array { return .unigram }
    return model["max_input_chars_per_word"] == nil ? .wordLevel : .wordPiece
  }

  static func ids(of words: JSONNode) throws(TokenizerFault) -> [JSONKey: Int] {
    guard words.kind == .object else { throw .missing("model.vocab") }
    var ids = [JSONKey: Int](minimumCapacity: words.count)
    for member in words.members {
      guard let id = member.value.int else { throw .missing("the id of \(member.key)") }
      ids[member.key] = id
    }
    return ids
  }

  private static func indices(of words: JSONNode) throws(TokenizerFault) -> [JSONKey: Int] {
    guard words.kind == .array else { throw .missing("model.vocab") }
    var ids = [JSONKey: Int](minimumCapacity: words.count)
    for (index, entry) in words.elements.enumerated() {
      guard let text = entry[0]?.key else { throw .missing("model.vocab[\(index)][0]") }
      ids[text] = index
    }
    return ids
  }

  private static func added(in list: JSONNode?) -> [AddedToken] {
    list?.elements.compactMap { entry in
      guard let text = entry["content"]?.key else { return nil }
      return AddedToken(id: entry["id"]?.int ?? -1, text: text, flags: .init(entry))
    } ?? []
  }
}

extension JSONDocument {
  init(tokenizerFile bytes: [UInt8]) throws(TokenizerFault) {
    do throws(JSONError) { try self.init(parsing: bytes) } catch { throw .brokenJSON(error) }
  }

  /// This document with edits made.
  func patched(_ edits: [JSONEdit]) throws(TokenizerFault) -> JSONDocument {
    do throws(JSONEditError) { return try applying(edits) } catch { throw .unchangeable(error) }
  }
}
