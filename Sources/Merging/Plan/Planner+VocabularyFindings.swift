// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

/// What the user is told about vocabularies.
extension Planner {
  /// Warns of tokens that are lost, or that have no weights.
  mutating func report(_ report: VocabularyReport, _ settings: TokenizerSettings) {
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

  /// Warns where text is prepared, or special tokens are used, in another way than in the output.
  mutating func compareRoles(_ tokenizers: [Tokenizer?], _ home: Int) {
    for (model, tokenizer) in tokenizers.enumerated() where model != home {
      guard let tokenizer, let own = tokenizers[home] else { continue }
      let preparations = [own.vocabulary.preparation, tokenizer.vocabulary.preparation]
      if !preparations.contains(.null), preparations[0] != preparations[1] {
        findings.warning(
          "\(models[model].reference) prepares text in another way than the output (normalizer and "
            + "pre_tokenizer of tokenizer.json)", at: node(of: models[model].reference))
      }
      let differing = Tokenizer.Role.allCases.compactMap { role -> String? in
        guard let theirs = tokenizer.token(for: role), theirs != own.token(for: role) else {
          return nil
        }
        return "\(role.rawValue) \(theirs) (the output: \(own.token(for: role) ?? "none"))"
      }
      guard !differing.isEmpty else { continue }
      findings.warning(
        "\(models[model].reference) has other special tokens: "
          + differing.joined(separator: ", "), at: node(of: models[model].reference))
    }
  }

  /// Some texts, and a sign that there are more.
  func sample(_ texts: [String]) -> String {
    texts.prefix(5).joined(separator: ", ") + (texts.count > 5 ? ", …" : "")
  }

  /// Warns of ids in the output's settings that its vocabulary no longer has.
  mutating func warnOfLostIDs() {
    guard let vocabulary else { return }
    let files =
      [models[vocabulary.home].checkpoint.config?.json]
      + [json("generation_config.json", of: vocabulary.home)?.root.json]
    for (key, id) in files.compactMap(\.self).flatMap({
      TokenIDs.outside($0, rows: vocabulary.rowCount)
    }) {
      findings.warning(
        "\(key) is \(id), but the output has only \(vocabulary.rowCount) rows",
        advice: "change it in config.json and generation_config.json of the output")
    }
  }
}
