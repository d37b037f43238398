// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

extension Planner {
  /// Puts the template that the recipe asks for into all of its places.
  mutating func planChatTemplate() {
    let home = vocabulary?.home ?? donor
    let templates = models.indices.map { template(of: $0) }
    guard let choice = recipe.chatTemplate else {
      warnOfOtherTemplates(templates, home)
      return
    }
    guard options.copiesTokenizer || recipe.tokenizer != nil else {
      findings.warning("\"chat_template\" has no effect: no tokenizer is written")
      return
    }
    guard let template = chosen(choice, templates, home) else { return }
    if template.canonical == templates[home]?.canonical { return }
    do {
      if vocabulary == nil {
        let rows = models.map { $0.checkpoint.embeddingRows ?? 0 }
        vocabulary = VocabularyPlan(
          reading: .asTheyAre, rows: rows, rowCount: rows[donor], home: home)
      }
      let config = try vocabulary?.written("tokenizer_config.json").map {
        try JSONDocument(parsing: $0)
      }
      let files = try template.files(
        config: config ?? json("tokenizer_config.json", of: home), home: models[home].files)
      for file in files { vocabulary?.write(file.name, file.bytes) }
    } catch {
      findings.error("the chat template cannot be written: \(error)")
    }
  }

  private func template(of model: Int) -> ChatTemplate? {
    ChatTemplate(models[model].files, config: json("tokenizer_config.json", of: model))
  }

  private mutating func chosen(
    _ choice: String, _ templates: [ChatTemplate?], _ home: Int
  ) -> ChatTemplate? {
    guard choice == "auto" else { return ChatTemplate(named: choice) ?? ChatTemplate(choice) }
    let vote = ChatTemplateVote(templates, base: recipe.base.flatMap(index(of:)))
    guard let winner = vote.winner else {
      findings.warning("no model has a chat template, and neither will the output")
      return nil
    }
    if vote.sides.count > 1 {
      let sides = vote.sides.map { side in
        side.models.map { models[$0].reference.description }.joined(separator: ", ")
      }
      findings.warning(
        "the models have \(sides.count) chat templates; the output gets that of \(sides[0]), not "
          + "that of " + sides.dropFirst().joined(separator: " or of "))
    }
    return winner
  }

  private mutating func warnOfOtherTemplates(_ templates: [ChatTemplate?], _ home: Int) {
    guard options.copiesTokenizer else { return }
    let own = templates[home]?.canonical
    let others = models.indices.filter { model in
      templates[model].map { $0.canonical != own } == true
    }
    guard !others.isEmpty else { return }
    let names = others.map { models[$0].reference.description }.joined(separator: ", ")
    findings.warning(
      own == nil
        ? "the output has no chat template, but \(names) \(others.count == 1 ? "has" : "have") one"
        : "the output has the chat template of \(models[home].reference); that of \(names) differs",
      advice: "choose with \"chat_template: auto\" or a name such as chatml")
  }

  /// Warns of special tokens that the output's template uses and its vocabulary lacks, and of turns that end with
  /// a token that does not end the output.
  mutating func checkTurnEnd() {
    let home = vocabulary?.home ?? donor
    let written = vocabulary?.written("chat_template.jinja").map {
      ChatTemplate(String(decoding: $0, as: UTF8.self))
    }
    guard let template = written ?? template(of: home),
      let own = vocabulary?.tokenizer ?? (try? Tokenizer(models[home].files))
    else {
      return
    }
    func id(_ token: String) -> Int? {
      if case .byToken(let output) = vocabulary?.reading { return output.id(of: JSONKey(token)) }
      return own.vocabulary.id(of: token)
    }
    let missing = template.specialTokens.filter { id($0) == nil }
    if !missing.isEmpty {
      findings.warning(
        "the chat template uses tokens that the vocabulary does not have: \(sample(missing))",
        advice: "add them with \"tokenizer: {tokens: …}\", or choose another template")
    }
    guard let token = template.turnEnd, let turnEnd = id(token) else { return }
    let name = "generation_config.json"
    let generation =
      vocabulary?.written(name).flatMap { try? JSONDocument(parsing: $0) }
      ?? json(name, of: donor)
    let config = models[home].checkpoint.config
    let stated = TokenIDs.numbers(generation?.root["eos_token_id"]?.json)
    let ends =
      stated + TokenIDs.numbers(config?.json["eos_token_id"])
      + TokenIDs.numbers(config?.json["text_config"]?["eos_token_id"])
      + [own.token(for: .eos).flatMap(id)].compactMap(\.self)
    if ends.contains(turnEnd) { return }
    guard options.fixesEndOfTurn else {
      findings.warning(
        "the chat template ends turns with \(token) (\(turnEnd)), which does not end the output: "
          + "the model may go on for ever",
        advice: "add it to the eos_token_id of generation_config.json with --fix-eos")
      return
    }
    let all = (stated.isEmpty ? Array(Set(ends)).sorted() : stated) + [turnEnd]
    let list = JSON.array(all.map { .int($0) })
    let fixed = try? generation?.setting(["eos_token_id"], to: list)
    let fresh: JSON = ["eos_token_id": list]
    if vocabulary == nil {
      let rows = models.map { $0.checkpoint.embeddingRows ?? 0 }
      vocabulary = VocabularyPlan(
        reading: .asTheyAre, rows: rows, rowCount: rows[donor], home: home)
    }
    vocabulary?.write(name, fixed?.bytes ?? fresh.bytes(.pretty(indent: 2)))
  }
}
