// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// The words of a tokenizer and their ids, held once for all tokenizers that have the same: fine-tunes of one base.
package final class WordList: Sendable {
  package let ids: [JSONKey: Int]
  /// The word of each id; nil where there is none.
  package let texts: [JSONKey?]
  /// One more than the highest id.
  package var end: Int { texts.count }

  init(_ ids: [JSONKey: Int]) throws(TokenizerFault) {
    var texts = [JSONKey?](repeating: nil, count: try Vocabulary.end(of: ids.values))
    for (text, id) in ids { texts[id] = text }
    self.ids = ids
    self.texts = texts
  }
}
