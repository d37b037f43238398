// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
internal import Storage
package import SystemPackage

/// The tokenizer of a model as its files make it up.
package struct Tokenizer: Sendable {
  package let files: ModelFiles
  /// The file that the words come from.
  package let source: String
  package let vocabulary: Vocabulary
  /// tokenizer.json; nil for a tokenizer that only Python reads.
  package let document: TokenizerDocument?
  /// tokenizer_config.json.
  package let config: JSONDocument?
  /// special_tokens_map.json.
  package let specialTokens: JSONDocument?

  /// Reads a tokenizer; nil if there is none.
  ///
  /// - Parameter relative: A tokenizer that probably has the same words, which are then held once for both.
  /// - Throws: `TokenizerError` for a file that is not what its name says, `StorageError`.
  package init?(_ files: ModelFiles, sharingWith relative: Tokenizer? = nil) throws {
    func parse<Value>(
      _ name: String, _ body: ([UInt8]) throws(TokenizerFault) -> Value
    ) throws -> Value? {
      guard let bytes = try files.read(name) else { return nil }
      do throws(TokenizerFault) { return try body(bytes) } catch {
        throw TokenizerError(file: files.path(name), fault: error)
      }
    }
    func json(_ name: String) throws -> JSONDocument? {
      try parse(name) { bytes throws(TokenizerFault) in try JSONDocument(tokenizerFile: bytes) }
    }

    self.files = files
    config = try json("tokenizer_config.json")
    specialTokens = try json("special_tokens_map.json")
    let document = try parse("tokenizer.json") { bytes throws(TokenizerFault) in
      try TokenizerDocument(
        JSONDocument(tokenizerFile: bytes), sharingWith: relative?.document)
    }
    self.document = document
    if let document {
      source = "tokenizer.json"
      vocabulary = document.vocabulary
      return
    }
    let added = Self.added(config, try json("added_tokens.json"))
    let merges = try files.read("merges.txt").map(MergeRules.lines)
    let isFairseq = Self.isFairseq(config, try json("config.json"))
    let readers: [(String, ([UInt8]) throws(TokenizerFault) -> Vocabulary)] = [
      (
        "vocab.json",
        { bytes throws(TokenizerFault) in
          let words = try TokenizerDocument.ids(of: JSONDocument(tokenizerFile: bytes).root)
          return try Vocabulary(
            kind: merges == nil ? .wordLevel : .bpe, words: WordList(words), numbered: added,
            merges: merges ?? .none)
        }
      ),
      (
        "vocab.txt",
        { bytes throws(TokenizerFault) in
          try Vocabulary(
            kind: .wordPiece, words: WordList(Self.lines(of: bytes)), numbered: added)
        }
      ),
      ("tokenizer.model", Self.pieces(added)), ("spiece.model", Self.pieces(added)),
      (
        "sentencepiece.bpe.model",
        { bytes throws(TokenizerFault) in
          guard isFairseq else { throw .unknownNumbering }
          return try SentencePieceModel(parsing: bytes).fairseqVocabulary(added: added)
        }
      ),
    ]
    for (name, reader) in readers {
      guard let vocabulary = try parse(name, reader) else { continue }
      source = name
      self.vocabulary = vocabulary
      return
    }
    return nil
  }

  /// The bytes of the files that decide what tokens there are; two models where they are the same have the same.
  static func wordFiles(_ files: ModelFiles) -> [[UInt8]] {
    if let document = try? files.read("tokenizer.json") { return [document] }
    return [
      "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
      "added_tokens.json",
    ].compactMap { try? files.read($0) }
  }

  private static func pieces(
    _ added: [AddedToken]
  ) -> ([UInt8]) throws(TokenizerFault) -> Vocabulary {
    { bytes throws(TokenizerFault) in
      try SentencePieceModel(parsing: bytes).vocabulary(added: added)
    }
  }

  /// The lines of a vocab.txt with their numbers.
  private static func lines(of bytes: [UInt8]) -> [JSONKey: Int] {
    var ids: [JSONKey: Int] = [:]
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // What follows the last line end is no line.
    for (id, line) in lines.enumerated() where id < lines.count - 1 || !line.isEmpty {
      ids[JSONKey(bytes: line.last == UInt8(ascii: "\r") ? line.dropLast() : line)] = id
    }
    return ids
  }

  /// Whether the pieces of sentencepiece.bpe.model are numbered as XLM-RoBERTa does it. Other models with a file of
  /// this name number them in other ways, which nothing but their code tells.
  private static func isFairseq(_ config: JSONDocument?, _ model: JSONDocument?) -> Bool {
    config?.root["tokenizer_class"]?.string.map { $0.hasPrefix("XLMRobertaTokenizer") }
      ?? (model?.root["model_type"]?.string == "xlm-roberta")
  }

  /// The added tokens of a tokenizer without tokenizer.json.
  private static func added(_ config: JSONDocument?, _ list: JSONDocument?) -> [AddedToken] {
    if let entries = config?.root["added_tokens_decoder"], entries.count > 0 {
      return entries.members.compactMap { member in
        guard let id = Int(member.key.string), let text = member.value["content"]?.key else {
          return nil
        }
        return AddedToken(id: id, text: text, flags: .init(member.value))
      }
    }
    return list?.root.members.compactMap { member in
      member.value.int.map { AddedToken(id: $0, text: member.key) }
    } ?? []
  }
}

extension Tokenizer {
  /// What tokens stand for, beside text.
  package enum Role: String, CaseIterable, Sendable {
    case bos = "bos_token"
    case eos = "eos_token"
    case pad = "pad_token"
    case unknown = "unk_token"
  }

  /// The token that has a role; nil if none has.
  package func token(for role: Role) -> String? {
    Self.token(for: role, in: [config, specialTokens])
  }

  /// The token that has a role in tokenizer_config.json or else special_tokens_map.json; nil if none has.
  static func token(for role: Role, in documents: [JSONDocument?]) -> String? {
    for document in documents {
      guard let node = document?.root[role.rawValue] else { continue }
      if let text = node.string ?? node["content"]?.string { return text }
    }
    return nil
  }
}

/// A tokenizer's file that cannot be used.
package struct TokenizerError: Error, Sendable, CustomStringConvertible {
  package let file: FilePath
  package let fault: TokenizerFault
  package var description: String { "\(file): \(fault)" }
}
