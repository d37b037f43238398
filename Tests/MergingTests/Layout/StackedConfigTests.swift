// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import SystemPackage
import Testing
import Weights

@testable import Merging

@Suite("config.json of a model with other layers")
struct StackedConfigTests {
  static func config(_ text: String) throws -> ModelConfig {
    try ModelConfig(Array(text.utf8), path: "config.json")
  }

  /// The configuration of a model made of the given layers of the donor, and the warnings.
  static func stacked(_ text: String, count: Int, _ layers: [Int]) throws -> (String, [String]) {
    let donor = try config(text)
    return try stacked(donor, count, layers.map { (donor, $0, count) })
  }

  static func stacked(
    _ donor: ModelConfig, _ count: Int, _ layers: [(ModelConfig, Int, Int)]
  ) throws -> (String, [String]) {
    let result = StackedConfig(
      donor: donor, layerCount: count,
      origins: layers.map { .init(config: $0.0, layer: $0.1, layerCount: $0.2) }
    ).edits()
    let document = try donor.document.applying(result.edits)
    return (String(decoding: document.bytes, as: UTF8.self), result.warnings)
  }

  @Test("The number of layers is changed, and nothing else of the text")
  func changesCount() throws {
    let (text, warnings) = try Self.stacked(
      "{ \"a\": 1.0e5,\n  \"num_hidden_layers\": 3 }\n", count: 3, [0, 1, 1, 2])
    #expect(text == "{ \"a\": 1.0e5,\n  \"num_hidden_layers\": 4 }\n")
    #expect(warnings.isEmpty)
  }

  @Test("The key is known by its value: another key of the same family is left alone")
  func findsKeyByValue() throws {
    let (text, _) = try Self.stacked(#"{"num_layers":24,"n_layer":3}"#, count: 3, [0, 1])
    #expect(text == #"{"num_layers":24,"n_layer":2}"#)
  }

  @Test("In a model of several parts the text model's number is changed")
  func findsNestedKey() throws {
    let (text, _) = try Self.stacked(
      #"{"num_hidden_layers":2,"text_config":{"num_hidden_layers":2,"layer_types":["a","b"]},"vision_config":{"num_hidden_layers":2}}"#,
      count: 2, [1, 0, 1])
    #expect(
      text
        == #"{"num_hidden_layers":2,"text_config":{"num_hidden_layers":3,"layer_types":["b","a","b"]},"vision_config":{"num_hidden_layers":2}}"#
    )
  }

  @Test(
    "Patterns of layers are put together anew, however they are spelt",
    arguments: [
      (#""hybrid_override_pattern":"M-*M""#, #""hybrid_override_pattern":"M*M*""#),
      (#""hybrid_override_pattern":"M-""#, #""hybrid_override_pattern":"M-""#),
      (#""block_types":["r","a"]"#, #""block_types":["r","r","a","r"]"#),
      (#""hybrid_layer_ids":[2]"#, #""hybrid_layer_ids":[1,3]"#),
    ])
  func rearrangesPatterns(before: String, after: String) throws {
    let (text, warnings) = try Self.stacked(
      #"{"num_hidden_layers":4,\#(before)}"#, count: 4, [0, 2, 3, 2])
    #expect(text == #"{"num_hidden_layers":4,\#(after)}"#)
    #expect(warnings.isEmpty)
  }

  @Test("Arrays with an entry for each layer are put together anew, others stay")
  func rearrangesArrays() throws {
    let (text, _) = try Self.stacked(
      #"{"num_hidden_layers":3,"layer_types":["f","s","f"],"no_rope_layers":[1,0,1],"other":[1,2]}"#,
      count: 3, [0, 1, 1, 2])
    #expect(
      text
        == #"{"num_hidden_layers":4,"layer_types":["f","s","s","f"],"no_rope_layers":[1,0,0,1],"other":[1,2]}"#
    )
  }

  @Test("A text with a letter for each layer is put together anew")
  func rearrangesLetters() throws {
    let (text, _) = try Self.stacked(
      #"{"num_hidden_layers":4,"hybrid_override_pattern":"M*M-","name":"abcd"}"#, count: 4,
      [0, 1, 1, 3])
    #expect(
      text == #"{"num_hidden_layers":4,"hybrid_override_pattern":"M**-","name":"abcd"}"#)
  }

  @Test("Where only a list says how many layers there are, that is enough")
  func countsByList() throws {
    let (text, warnings) = try Self.stacked(
      #"{"layers_block_type":["m","a","m"],"other":[1,2,3]}"#, count: 3, [0, 1, 1, 2])
    #expect(
      text == #"{"layers_block_type":["m","a","a","m"],"other":[1,2,2,3]}"#)
    #expect(warnings.isEmpty)
  }

  @Test(
    "Lists of layer numbers are renumbered, also if they have as many entries as there are layers")
  func renumbersLists() throws {
    let (text, _) = try Self.stacked(
      #"{"num_hidden_layers":4,"mlp_only_layers":[0,2],"full_attn_idxs":[0,1,2,3],"cross_attention_layers":[]}"#,
      count: 4, [0, 2, 2, 3, 1])
    #expect(
      text
        == #"{"num_hidden_layers":5,"mlp_only_layers":[0,1,2],"full_attn_idxs":[0,1,2,3,4],"cross_attention_layers":[]}"#
    )
  }

  @Test("Entries come from the model that the layer comes from")
  func takesEntriesOfSource() throws {
    let donor = try Self.config(#"{"num_hidden_layers":2,"layer_types":["a","b"]}"#)
    let other = try Self.config(#"{"num_hidden_layers":3,"layer_types":["x","y","z"]}"#)
    let bare = try Self.config(#"{"num_hidden_layers":9}"#)
    let (text, _) = try Self.stacked(donor, 2, [(donor, 0, 2), (other, 2, 3), (bare, 8, 9)])
    #expect(text == #"{"num_hidden_layers":3,"layer_types":["a","z","b"]}"#)
  }

  @Test("max_window_layers that meant all layers means all layers")
  func keepsWindows() throws {
    let (all, _) = try Self.stacked(
      #"{"num_hidden_layers":2,"max_window_layers":2}"#, count: 2, [0, 1, 1])
    #expect(all == #"{"num_hidden_layers":3,"max_window_layers":3}"#)
    let (some, _) = try Self.stacked(
      #"{"num_hidden_layers":2,"max_window_layers":1}"#, count: 2, [0, 1, 1])
    #expect(some == #"{"num_hidden_layers":3,"max_window_layers":1}"#)
  }

  @Test("Rules about layer numbers cannot be rewritten and are told")
  func warnsOfRules() throws {
    let text = #"{"num_hidden_layers":4,"first_k_dense_replace":3,"decoder_sparse_step":1}"#
    #expect(try Self.stacked(text, count: 4, [0, 1, 3]).1.count == 1)
    #expect(try Self.stacked(text, count: 4, [0, 1, 2, 3]).1.isEmpty)
  }

  @Test("The layers of the donor in their order change nothing")
  func keepsWhole() throws {
    let text = #"{"num_hidden_layers":2,"layer_types":["a","b"],"max_window_layers":5}"#
    #expect(try Self.stacked(text, count: 2, [0, 1]).0 == text)
  }

  @Test("A configuration without a number of layers is told")
  func warnsOfMissingCount() throws {
    let (text, warnings) = try Self.stacked(#"{"layers":[1]}"#, count: 2, [0])
    #expect(text == #"{"layers":[1]}"#)
    #expect(warnings == ["config.json has no number of layers that could be changed"])
  }
}
