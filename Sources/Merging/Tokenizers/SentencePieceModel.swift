// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A tokenizer.model: the pieces of a SentencePiece model in protocol buffers' wire format.
///
/// Only what is needed is taken out, ids and texts; everything else stays the bytes that it was.
package struct SentencePieceModel: Sendable {
  package enum PieceType: UInt64, Sendable {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  package struct Piece: Hashable, Sendable {
    package let text: JSONKey
    package let type: PieceType

    package init(text: JSONKey, type: PieceType) {
      self.text = text
      self.type = type
    }
  }

  package let bytes: [UInt8]
  /// In the order of their ids.
  package let pieces: [Piece]
  /// Whether pieces are joined by rank, as in byte-pair encoding, and not chosen by likelihood.
  package let isBytePair: Bool
  /// Where the last piece ends.
  private let piecesEnd: Int
  /// The field of the trainer's settings, tag and length included, and its content.
  private let trainer: (field: Range<Int>, content: Range<Int>)?

  package init(parsing bytes: [UInt8]) throws(TokenizerFault) {
    var pieces: [Piece] = []
    var piecesEnd = 0
    var trainer: (field: Range<Int>, content: Range<Int>)?
    var isBytePair = false
    var reader = ProtobufReader(bytes, 0..<bytes.count)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let content)):
        pieces.append(try Self.piece(bytes, content))
        piecesEnd = field.range.upperBound
      case (2, .bytes(let content)):
        trainer = (field.range, content)
        var inner = ProtobufReader(bytes, content)
        while let setting = try inner.next() {
          if setting.number == 3, case .varint(let type) = setting.value { isBytePair = type == 2 }
        }
      default: break
      }
    }
    guard !pieces.isEmpty else { throw .brokenPieces(offset: 0) }
    self.bytes = bytes
    self.pieces = pieces
    self.piecesEnd = piecesEnd
    self.trainer = trainer
    self.isBytePair = isBytePair
  }

  private static func piece(
    _ bytes: [UInt8], _ range: Range<Int>
  ) throws(TokenizerFault) -> Piece {
    var text = JSONKey("")
    var type = PieceType.normal
    var reader = ProtobufReader(bytes, range)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let content)): text = JSONKey(bytes: bytes[content])
      case (3, .varint(let value)): type = PieceType(rawValue: value) ?? .normal
      default: break
      }
    }
    return Piece(text: text, type: type)
  }

  /// This model with pieces after its last one, and the size in the trainer's settings set right.
  package func appending(_ added: [Piece]) throws(TokenizerFault) -> [UInt8] {
    var texts: [UInt8] = []
    for piece in added {
      var content: [UInt8] = []
      content.appendField(1, Array(piece.text.bytes))
      // A score of zero, in four bytes.
      content += [0x15, 0, 0, 0, 0, 0x18]
      content.appendVarint(piece.type.rawValue)
      texts.appendField(1, content)
    }
    guard let trainer else { return bytes[..<piecesEnd] + texts + bytes[piecesEnd...] }
    var settings: [UInt8] = []
    var reader = ProtobufReader(bytes, trainer.content)
    while let field = try reader.next() {
      if field.number == 4 {
        settings.append(0x20)
        settings.appendVarint(UInt64(pieces.count + added.count))
      } else {
        settings += bytes[field.range]
      }
    }
    var trainerField: [UInt8] = []
    trainerField.appendField(2, settings)
    if trainer.field.lowerBound >= piecesEnd {
      return bytes[..<piecesEnd] + texts + bytes[piecesEnd..<trainer.field.lowerBound]
        + trainerField + bytes[trainer.field.upperBound...]
    }
    return bytes[..<trainer.field.lowerBound] + trainerField
      + bytes[trainer.field.upperBound..<piecesEnd] + texts + bytes[piecesEnd...]
  }

  /// The vocabulary where a SentencePiece model is all there is.
  func vocabulary(added: [AddedToken]) throws(TokenizerFault) -> Vocabulary {
    try Vocabulary(
      kind: isBytePair ? .bpe : .unigram,
      words: WordList(
        Dictionary(
          pieces.enumerated().map { ($1.text, $0) }, uniquingKeysWith: { one, _ in one })),
      numbered: added)
  }

  /// The vocabulary as XLM-RoBERTa's code makes it of the pieces: four tokens of fairseq's come first, instead of
  /// the model's own three, and a mask after all others.
  func fairseqVocabulary(added: [AddedToken]) throws(TokenizerFault) -> Vocabulary {
    let first: [JSONKey] = ["<s>", "<pad>", "</s>", "<unk>"]
    let texts = first + pieces.dropFirst(first.count - 1).map(\.text) + ["<mask>"]
    return try Vocabulary(
      kind: isBytePair ? .bpe : .unigram,
      words: WordList(
        Dictionary(texts.enumerated().map { ($1, $0) }, uniquingKeysWith: { one, _ in one })),
      numbered: added)
  }
}
