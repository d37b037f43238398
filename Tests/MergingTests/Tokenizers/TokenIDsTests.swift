// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Testing

@testable internal import Merging

@Suite("Token ids") struct TokenIDsTests {
  @Test("The ids of another model replace a file's own, and nothing else does") func replacing()
    throws
  {
    let own = try JSONDocument(
      parsing:
        #"{"eos_token_id": 2, "pad_token_id": 0, "x": 1, "text_config": {"bos_token_id": 1}}"#)
    let other = try JSON.parse(
      #"{"eos_token_id": [7, 8], "image_token_id": 9, "x": 5, "unk_token_id": null, "text_config": {"bos_token_id": 6}}"#
    )
    let edits = TokenIDs.edits(of: own.root.json, to: other)
    let result = try own.applying(edits).root.json
    #expect(
      result
        == [
          "eos_token_id": [7, 8], "x": 1, "text_config": ["bos_token_id": 6], "image_token_id": 9,
        ])
  }

  @Test("Ids beyond the vocabulary are found, in lists, too, but not in other parts of a model")
  func outside() throws {
    let json = try JSON.parse(
      #"{"eos_token_id": [2, 9], "vocab_size": 99, "a": {"pad_token_id": 8}, "suppress_tokens": null}"#
    )
    #expect(TokenIDs.outside(json, rows: 8).map(\.key) == ["eos_token_id"])
    #expect(TokenIDs.outside(json, rows: 8).map(\.id) == [9])
    #expect(TokenIDs.outside(json, rows: 10).isEmpty)
  }
}
