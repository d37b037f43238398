// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing
import Weights

@testable import Merging

@Suite("Rules about the numbers of layers")
struct LayerRuleTests {
  static func changes(_ text: String, count: Int, _ layers: [Int], stack: String = "model.layers")
    throws -> (config: String, changes: StackedConfig.Changes)
  {
    let donor = try StackedConfigTests.config(text)
    let changes = StackedConfig(
      donor: donor, stack: stack, layerCount: count,
      origins: layers.map { .init(config: donor, layer: $0, layerCount: count) }
    ).edits()
    let document = try donor.document.applying(changes.edits)
    return (String(decoding: document.bytes, as: UTF8.self), changes)
  }

  @Test("Dense layers that are still the first ones are counted anew")
  func countsDenseLayers() throws {
    let text = #"{"num_hidden_layers":4,"first_k_dense_replace":1}"#
    let (config, changes) = try Self.changes(text, count: 4, [0, 0, 1, 2, 3])
    #expect(config == #"{"num_hidden_layers":5,"first_k_dense_replace":2}"#)
    #expect(changes.warnings.count == 1)
    #expect(changes.refusals.isEmpty)
  }

  @Test(
    "What a rule cannot say is refused where layers would lack tensors",
    arguments: [
      (#"{"num_hidden_layers":4,"first_k_dense_replace":1}"#, [0, 1, 0, 1]),
      (#"{"num_hidden_layers":4,"decoder_sparse_step":2}"#, [0, 1, 1]),
      (#"{"num_hidden_layers":4,"attn_layer_period":2,"attn_layer_offset":1}"#, [1, 2]),
    ])
  func refuses(text: String, layers: [Int]) throws {
    let (_, changes) = try Self.changes(text, count: 4, layers)
    #expect(changes.refusals.count == 1)
  }

  @Test("A rule that says the same of the layers taken is left alone")
  func keepsRules() throws {
    let text = #"{"num_hidden_layers":4,"attn_layer_period":2,"attn_layer_offset":1}"#
    let (config, changes) = try Self.changes(text, count: 4, [0, 1, 2, 3, 2, 3])
    #expect(config.contains(#""num_hidden_layers":6"#))
    #expect(changes.refusals.isEmpty && changes.warnings.isEmpty)
  }

  @Test("A pattern of windows that no longer holds is told, unless a list of layers says it")
  func tellsPatterns() throws {
    let text = #"{"num_hidden_layers":4,"sliding_window_pattern":2}"#
    #expect(try Self.changes(text, count: 4, [0, 2]).changes.warnings.count == 1)
    let listed =
      #"{"num_hidden_layers":2,"sliding_window_pattern":2,"layer_types":["a","b"]}"#
    let (config, changes) = try Self.changes(listed, count: 2, [0, 0])
    #expect(changes.warnings.isEmpty)
    #expect(config.hasSuffix(#""layer_types":["a","a"]}"#))
  }

  @Test(
    "The number of layers is that of the part that was stacked",
    arguments: [
      ("decoder.block", #"{"num_layers":2,"num_decoder_layers":3}"#),
      ("encoder.block", #"{"num_layers":3,"num_decoder_layers":2}"#),
      ("vision_tower.encoder.layers", #"{"num_layers":2,"num_decoder_layers":2}"#),
    ])
  func findsPart(stack: String, wanted: String) throws {
    let vision = #","vision_config":{"num_hidden_layers":2}}"#
    let text = #"{"num_layers":2,"num_decoder_layers":2"# + vision
    let (config, _) = try Self.changes(text, count: 2, [0, 1, 1], stack: stack)
    let isVision = stack.hasPrefix("vision")
    let rest = isVision ? #","vision_config":{"num_hidden_layers":3}}"# : vision
    // The keys of the outer object would do too if the part had no settings of its own.
    #expect(config == wanted.dropLast() + rest)
  }
}
