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
  package let words: [JSONKey: Int]
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
    kind: Kind, words: [JSONKey: Int], listed added: [AddedToken], merges: MergeRules = .none,
    preparation: JSON = .null
  ) throws(TokenizerFault) {
    var highest = try Self.highest(words.values)
    var next = words.count
    var ids: [JSONKey: Int] = [:]
    var tokens: [AddedToken] = []
    for token in added where ids[token.text] == nil {
      let id = words[token.text] ?? next
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
    kind: Kind, words: [JSONKey: Int], numbered added: [AddedToken], merges: MergeRules = .none
  ) throws(TokenizerFault) {
    end = max(try Self.highest(words.values), try Self.highest(added.map(\.id))) + 1
    self.kind = kind
    self.words = words
    self.added = added.sorted { $0.id < $1.id }
    self.merges = merges
    preparation = .null
    addedIDs = Dictionary(added.map { ($0.text, $0.id) }, uniquingKeysWith: { $1 })
  }

  /// The highest of some ids, all of which have to be ids; -1 if there are none.
  private static func highest(_ ids: some Sequence<Int>) throws(TokenizerFault) -> Int {
    var highest = -1
    for id in ids {
      guard 0..<idLimit ~= id else { throw .idOutOfRange(id) }
      highest = max(highest, id)
    }
    return highest
  }

  /// The id of a token; an added token wins over a word.
  package func id(of token: JSONKey) -> Int? { addedIDs[token] ?? words[token] }
  package func id(of token: String) -> Int? { id(of: JSONKey(token)) }

  /// Whether a token is one of the added ones.
  package func isAdded(_ token: JSONKey) -> Bool { addedIDs[token] != nil }

  /// The token of each id; nil where there is none.
  package var tokens: [JSONKey?] {
    var tokens = [JSONKey?](repeating: nil, count: end)
    for (text, id) in words { tokens[id] = text }
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
    case .unplaceable(let token, let wanted, let given):
      "the token \(token) would get the id \(given.map(String.init) ?? "of none"), not \(wanted)"
    case .unchangeable(let error): "\(error)"
    }
  }
}
