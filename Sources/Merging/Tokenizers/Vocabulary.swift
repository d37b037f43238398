// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// The tokens of a model and their ids, as the files of its tokenizer give them.
///
/// Tokens are compared by their bytes. An id counts as the `tokenizers` library gives it out, which
/// is not always the one that is written.
package struct Vocabulary: Sendable {
  /// How the tokenizer cuts text into words.
  package enum Kind: String, Sendable {
    case bpe = "BPE"
    case unigram = "Unigram"
    case wordPiece = "WordPiece"
    case wordLevel = "WordLevel"
  }

  package let kind: Kind
  /// The words that text is cut into; added tokens may be listed among them.
  package let words: WordList
  /// In the order of their ids.
  package let added: [AddedToken]
  /// One more than the highest id.
  package let end: Int
  /// In what order pieces are joined into words, for byte-pair encoding.
  let merges: MergeRules
  /// What is done to a text before it is cut: normalizer and pre-tokenizer.
  let preparation: JSON
  private let addedIDs: [JSONKey: Int]

  /// Ids from here on are taken for damage.
  static let idLimit = 1 << 24

  /// - Parameter added: In the order of the file; ids that are not among `words` are given out anew.
  init(
    kind: Kind, words: WordList, listed added: [AddedToken], merges: MergeRules = .none,
    preparation: JSON = .null
  ) throws(TokenizerFault) {
    var highest = words.end - 1
    var next = words.ids.count
    var ids: [JSONKey: Int] = [:]
    var tokens: [AddedToken] = []
    for token in added where ids[token.text] == nil {
      let id = words.ids[token.text] ?? next
      guard id < Self.idLimit else { throw .idOutOfRange(id) }
      next = max(next, id + 1)
      highest = max(highest, id)
      ids[token.text] = id
      tokens.append(AddedToken(id: id, text: token.text, flags: token.flags))
    }
    self.kind = kind
    self.words = words
    self.added = tokens.sorted { $0.id < $1.id }
    self.merges = merges
    self.preparation = preparation
    addedIDs = ids
    end = highest + 1
  }

  /// - Parameter added: With ids that hold as they are, as in tokenizers that are read by Python alone.
  init(
    kind: Kind, words: WordList, numbered added: [AddedToken], merges: MergeRules = .none
  ) throws(TokenizerFault) {
    end = max(words.end, try Self.end(of: added.lazy.map(\.id)))
    self.kind = kind
    self.words = words
    self.added = added.sorted { $0.id < $1.id }
    self.merges = merges
    preparation = .null
    addedIDs = Dictionary(added.map { ($0.text, $0.id) }, uniquingKeysWith: { $1 })
  }

  /// One more than the highest of some ids, all of which have to be ids.
  static func end(of ids: some Sequence<Int>) throws(TokenizerFault) -> Int {
    var end = 0
    for id in ids {
      guard 0..<idLimit ~= id else { throw .idOutOfRange(id) }
      end = max(end, id + 1)
    }
    return end
  }

  /// The id of a token; an added token wins over a word.
  package func id(of token: JSONKey) -> Int? { addedIDs[token] ?? words.ids[token] }
  package func id(of token: String) -> Int? { id(of: JSONKey(token)) }

  /// Whether a token is one of the added ones.
  package func isAdded(_ token: JSONKey) -> Bool { addedIDs[token] != nil }

  /// Whether there is a token with an id.
  func hasToken(_ id: Int) -> Bool {
    if words.texts.indices.contains(id), words.texts[id] != nil { return true }
    var (low, high) = (0, added.count)
    while low < high {
      let middle = (low + high) / 2
      if added[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < added.count && added[low].id == id
  }

  /// The token of each id; nil where there is none.
  package var tokens: [JSONKey?] {
    var tokens = words.texts
    tokens += [JSONKey?](repeating: nil, count: end - tokens.count)
    for token in added { tokens[token.id] = token.text }
    return tokens
  }
}

/// Why the files of a tokenizer do not give a vocabulary.
package enum TokenizerFault: Error, Hashable, Sendable {
  case brokenJSON(JSONError)
  /// A part that every tokenizer has, by its path: `model.vocab`.
  case missing(String)
  /// A tokenizer model that is not one of the four that are known.
  case unknownKind(String)
  case idOutOfRange(Int)
  /// A tokenizer.model that is no SentencePiece model, and where it stops making sense.
  case brokenPieces(offset: Int)
  /// A sentencepiece.bpe.model of a model that is not known to number its pieces in some way.
  case unknownNumbering
  /// A token that would not get the id that its row has.
  case unplaceable(token: String, wanted: Int, given: Int?)
  case unchangeable(JSONEditError)
}

extension TokenizerFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .brokenJSON(let error): "it is not JSON: \(error)"
    case .missing(let path): "there is no \(path)"
    case .unknownKind(let name): "\"\(name)\" is a kind of tokenizer that is not known"
    case .idOutOfRange(let id): "\(id) is no id of a token"
    case .brokenPieces(let offset): "it is no SentencePiece model (byte \(offset))"
    case .unknownNumbering:
      "what ids its pieces have is known to the model's own code alone; save it with a tokenizer.json"
    case .unplaceable(let token, let wanted, let given):
      "the token \(token) would get the id \(given.map(String.init) ?? "of none"), not \(wanted)"
    case .unchangeable(let error): "\(error)"
    }
  }
}
