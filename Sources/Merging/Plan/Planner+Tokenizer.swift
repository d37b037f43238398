// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import Weights

extension Planner {
  /// Checks that what the recipe says about vocabularies comes to the donor's own.
  mutating func checkTokenizer() {
    if let template = recipe.chatTemplate, template != "auto" {
      findings.error(
        "\"chat_template\" other than \"auto\" is not supported",
        advice: "leave it out: the template of the base (or first) model is taken over")
    }
    guard let settings = recipe.tokenizer else { return }
    if !settings.tokens.isEmpty || settings.padToMultipleOf != nil {
      findings.error(
        "\"tokens\" and \"pad_to_multiple_of\" are not supported", at: settings.node)
    }
    let files = models.map { model in
      try? FileSystem.read(model.checkpoint.folder.appending("tokenizer.json"))
    }
    guard files.contains(where: { $0 != files.first }) else { return }
    findings.error(
      "the models' tokenizers differ; joining vocabularies is not supported",
      advice: "merge models that share a tokenizer", at: settings.node)
  }
}
