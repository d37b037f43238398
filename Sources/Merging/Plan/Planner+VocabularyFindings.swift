// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

/// What the user is told about vocabularies.
extension Planner {
  /// Warns of tokens that are lost, or that have no weights.
  mutating func warn(of report: VocabularyReport, _ settings: TokenizerSettings) {
    for share in report.shares {
      if !share.phantoms.isEmpty {
        let fate = share.model == report.home ? "are left out" : "count as missing"
        findings.warning(
          "\(share.phantoms.count) tokens of \(report.names[share.model]) have no row in its "
            + "embedding and \(fate): \(sample(share.phantoms))", at: settings.node)
      }
      if !share.dropped.isEmpty {
        findings.warning(
          "\(share.dropped.count) tokens of \(report.names[share.model]) are not in the output: "
            + sample(share.dropped), at: settings.node)
      }
    }
    if !report.zeros.isEmpty {
      findings.warning(
        "no model has a row for \(sample(report.zeros.map(\.text))): "
          + "\(report.zeros.count == 1 ? "it is" : "they are") filled with zeros", at: settings.node
      )
    }
    if report.rowCount < report.homeRows {
      findings.warning(
        "the embedding gets \(report.rowCount) rows, \(report.homeRows - report.rowCount) fewer "
          + "than that of \(report.names[report.home])",
        advice: "\"pad_to_multiple_of: keep\" keeps the rows that belong to no token",
        at: settings.node)
    }
  }

  /// Warns where text is prepared in another way than in the output.
  mutating func comparePreparations(_ tokenizers: [Tokenizer?], _ home: Int) {
    for (model, tokenizer) in tokenizers.enumerated() where model != home {
      guard let tokenizer, let own = tokenizers[home] else { continue }
      let preparations = [own.vocabulary.preparation, tokenizer.vocabulary.preparation]
      guard !preparations.contains(.null), preparations[0] != preparations[1] else { continue }
      findings.warning(
        "\(models[model].reference) prepares text in another way than the output (normalizer and "
          + "pre_tokenizer of tokenizer.json)", at: node(of: models[model].reference))
    }
  }

  /// Warns where other tokens have a part to play, or end the output, than in the output.
  mutating func compareRoles() {
    let home = vocabulary?.home ?? donor
    func token(_ role: Tokenizer.Role, _ model: Int) -> String? {
      let names = ["tokenizer_config.json", "special_tokens_map.json"]
      return Tokenizer.token(for: role, in: names.map { json($0, of: model) })
    }
    let own = Tokenizer.Role.allCases.map { token($0, home) }
    let ends = endIDs(of: home, isOutput: true)
    for model in models.indices where model != home {
      let differing = zip(Tokenizer.Role.allCases, own).compactMap { role, own -> String? in
        guard let theirs = token(role, model), theirs != own else { return nil }
        return "\(role.rawValue) \(theirs) (the output: \(own ?? "none"))"
      }
      if !differing.isEmpty {
        findings.warning(
          "\(models[model].reference) has other special tokens: "
            + differing.joined(separator: ", "), at: node(of: models[model].reference))
      }
      let others = endIDs(of: model, isOutput: false).filter { id in
        outputID(of: id, in: model).map { !ends.contains($0) } ?? false
      }
      if !ends.isEmpty, !others.isEmpty {
        findings.warning(
          "\(models[model].reference) ends what it writes with \(sample(others.map(String.init))) "
            + "(eos_token_id), too, but the output does not: it may go on for ever",
          advice: "add it to the eos_token_id of the output's generation_config.json",
          at: node(of: models[model].reference))
      }
    }
  }

  /// The ids that end what a model, or the output, writes.
  private func endIDs(of model: Int, isOutput: Bool) -> [Int] {
    let name = "generation_config.json"
    let written = isOutput ? vocabulary?.written(name) : nil
    let generation =
      written.flatMap { try? JSONDocument(parsing: $0) } ?? json(name, of: isOutput ? donor : model)
    let config = models[model].checkpoint.config?.json
    return [generation?.root.json, config, config?["text_config"]].lazy.map {
      TokenIDs.numbers($0?["eos_token_id"])
    }.first { !$0.isEmpty } ?? []
  }

  /// The id that a token of a model has in the output.
  private func outputID(of id: Int, in model: Int) -> Int? {
    guard case .byToken(let output) = vocabulary?.reading else { return id }
    return output.ids[model].firstIndex(of: Int32(clamping: id))
  }

  /// Some texts, and a sign that there are more.
  func sample(_ texts: [String]) -> String {
    texts.prefix(5).joined(separator: ", ") + (texts.count > 5 ? ", …" : "")
  }

  /// Warns of ids that the output's files name and its embedding has no row for.
  mutating func warnOfLostIDs(_ plan: MergePlan) {
    guard let rows = plan.embeddingRows else { return }
    // A vocabulary that was planned has no token without a row.
    let lost =
      (try? plan.lostIDs(in: plan.outputFiles, skipsTokens: plan.vocabulary != nil)) ?? []
    for id in lost where id.token == nil {
      findings.warning(
        "\(id.key) is \(id.id), but the output has only \(rows) rows",
        advice: "change it in \(id.file) of the output")
    }
    let tokens = lost.compactMap(\.token)
    if !tokens.isEmpty {
      findings.warning(
        "\(tokens.count) tokens of the output's tokenizer have no row in its embedding of \(rows) rows: "
          + sample(tokens),
        advice: "\"tokenizer: {source: base}\" leaves them out")
    }
  }
}
