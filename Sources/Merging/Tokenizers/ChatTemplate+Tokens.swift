// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

extension ChatTemplate {
  /// The texts in it that look like special tokens (`<|im_start|>`, `[|user|]`, `<start_of_turn>`), each once, in
  /// the order of the template.
  package var specialTokens: [String] {
    let bytes = Array(text.utf8)
    var found: [String] = []
    for start in bytes.indices {
      guard let end = Self.end(of: bytes[start...]) else { continue }
      let token = String(decoding: bytes[start..<end], as: UTF8.self)
      if !found.contains(token) { found.append(token) }
    }
    return found
  }

  /// Where the special token ends that a text begins with.
  private static func end(of bytes: ArraySlice<UInt8>) -> Int? {
    let pairs: [(open: [UInt8], close: [UInt8])] = [
      (Array("<|".utf8), Array("|>".utf8)), (Array("[|".utf8), Array("|]".utf8)),
      (Array("<".utf8), Array(">".utf8)),
    ]
    for (open, close) in pairs where bytes.starts(with: open) {
      let inside = bytes.dropFirst(open.count).prefix { byte in
        isWord(byte)
      }
      guard !inside.isEmpty, inside.count < 64, bytes[inside.endIndex...].starts(with: close) else {
        continue
      }
      let name = String(decoding: inside, as: UTF8.self)
      if open.count == 2 || name.hasSuffix("_of_turn") { return inside.endIndex + close.count }
    }
    return nil
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// The token with which the assistant's turn ends; nil if the template does not tell.
  ///
  /// Known ends of turns count, and of several the one that comes first in the list: others are ends of messages
  /// to tools and the like.
  package var turnEnd: String? {
    let tokens = Set(specialTokens)
    return [
      "<|im_end|>", "<|eot_id|>", "<|eot|>", "<|end|>", "<end_of_turn>", "[|endofturn|]",
      "<|endofturn|>", "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>", "<|im_sep|>",
    ].first(where: tokens.contains)
  }
}
