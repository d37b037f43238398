// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// In what the words of two tokenizers differ, added tokens aside.
package struct VocabularyDifference: Hashable, Sendable {
  /// How many words only the one has.
  package let onlyInFirst: Int
  package let onlyInSecond: Int
  /// How many words both have, under different ids.
  package let renumbered: Int
  /// Whether the two cut text in other ways: by another kind of model, or by other merges.
  package let cutsDifferently: Bool

  /// Nil if the two are the same vocabulary but for added tokens.
  package init?(_ one: Vocabulary, _ two: Vocabulary) {
    var onlyInFirst = 0
    var onlyInSecond = 0
    var renumbered = 0
    if one.words !== two.words {
      // A word that the other has as an added token is the same word.
      for (word, id) in one.words.ids where !one.isAdded(word) {
        guard let other = two.id(of: word) else {
          onlyInFirst += 1
          continue
        }
        if other != id { renumbered += 1 }
      }
      for (word, id) in two.words.ids where !two.isAdded(word) {
        guard let other = one.id(of: word) else {
          onlyInSecond += 1
          continue
        }
        // Those that are words of both have been counted.
        if other != id, one.isAdded(word) { renumbered += 1 }
      }
    }
    self.onlyInFirst = onlyInFirst
    self.onlyInSecond = onlyInSecond
    self.renumbered = renumbered
    cutsDifferently = one.kind != two.kind || !one.merges.isSame(as: two.merges)
    if onlyInFirst + onlyInSecond + renumbered == 0, !cutsDifferently { return nil }
  }
}

extension VocabularyDifference: CustomStringConvertible {
  package var description: String {
    var parts: [String] = []
    if onlyInFirst > 0 { parts.append("\(onlyInFirst) words are only in the first") }
    if onlyInSecond > 0 { parts.append("\(onlyInSecond) only in the second") }
    if renumbered > 0 { parts.append("\(renumbered) have another id") }
    if parts.isEmpty { parts.append("the words are the same, but they are joined by other rules") }
    return parts.joined(separator: ", ")
  }
}
