// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// A token that a tokenizer has beside the words it cuts text into: it is found in the text as it
/// stands and never taken apart.
package struct AddedToken: Hashable, Sendable {
  /// How the token is looked for in a text.
  package struct Flags: Hashable, Sendable {
    /// Whether decoding may leave it out.
    package var isSpecial = false
    package var isSingleWord = false
    /// Whether it takes the blanks before it with it.
    package var stripsLeft = false
    package var stripsRight = false
    /// Whether it is looked for in the normalised text; if not, in the text as it was written.
    package var isNormalized = false

    package init() {}
  }

  package let id: Int
  package let text: JSONKey
  package let flags: Flags

  package init(id: Int, text: JSONKey, flags: Flags = Flags()) {
    self.id = id
    self.text = text
    self.flags = flags
  }
}

extension AddedToken {
  /// An element of `added_tokens` in tokenizer.json.
  var tokenizerEntry: JSON {
    [
      "id": .int(id), "content": .string(text.string), "single_word": .bool(flags.isSingleWord),
      "lstrip": .bool(flags.stripsLeft), "rstrip": .bool(flags.stripsRight),
      "normalized": .bool(flags.isNormalized), "special": .bool(flags.isSpecial),
    ]
  }

  /// The value of a member of `added_tokens_decoder` in tokenizer_config.json, whose key is the id.
  var decoderEntry: JSON {
    [
      "content": .string(text.string), "lstrip": .bool(flags.stripsLeft),
      "normalized": .bool(flags.isNormalized), "rstrip": .bool(flags.stripsRight),
      "single_word": .bool(flags.isSingleWord), "special": .bool(flags.isSpecial),
    ]
  }
}

extension AddedToken.Flags {
  /// Those of a word of another tokenizer: like a word it is looked for in the normalised text.
  static let ofWord = {
    var flags = Self()
    flags.isNormalized = true
    return flags
  }()

  /// The flags of either entry; what is not there is false.
  init(_ entry: JSONNode) {
    self.init()
    for member in entry.members {
      guard let value = member.value.bool else { continue }
      switch member.key {
      case "special": isSpecial = value
      case "single_word": isSingleWord = value
      case "lstrip": stripsLeft = value
      case "rstrip": stripsRight = value
      case "normalized": isNormalized = value
      default: break
      }
    }
  }
}
