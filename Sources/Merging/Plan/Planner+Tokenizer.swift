// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

extension Planner {
  /// Settles the output's vocabulary and chat template, before any tensor is planned.
  mutating func planVocabulary() {
    let known = models.map(\.checkpoint.embeddingRows)
    if let settings = recipe.tokenizer {
      planVocabulary(settings, known)
    } else if options.truncatesEmbeddings {
      planCut(known)
    } else {
      compareVocabularies()
    }
    planChatTemplate()
    if recipe.tokenizer != nil || recipe.chatTemplate != nil { checkTurnEnd() }
    if options.copiesTokenizer || recipe.tokenizer != nil { compareRoles() }
  }

  // MARK: With a tokenizer setting

  private mutating func planVocabulary(_ settings: TokenizerSettings, _ known: [Int?]) {
    let home: Int
    switch settings.source {
    case .base, .union: home = donor
    case .model(let reference): home = index(of: reference) ?? donor
    }
    let tokenizers = readTokenizers(home: home)
    guard let tokenizer = tokenizers[home] else {
      if !findings.hasErrors {
        findings.error(
          "\(models[home].reference) has no tokenizer that could be read",
          advice: "name a model that has a tokenizer.json: tokenizer: {source: NAME}",
          at: settings.node)
      }
      return
    }
    let rows = known.indices.map { known[$0] ?? tokenizers[$0]?.vocabulary.end ?? 0 }
    var request = OutputVocabulary.Request(home: home)
    request.base = recipe.base.flatMap(index(of:))
    request.unites = settings.source == .union
    request.allowsDeadTokens = options.allowsDeadTokens
    request.rules = settings.tokens.compactMap { rule($0, tokenizers, rows, settings) }
    if let factor = settings.padToMultipleOf {
      request.padding = .multiple(of: factor)
    } else if settings.keepsPadding || settings.source != .union {
      request.padding = .kept
    }
    do throws(VocabularyConflict) {
      let output = try OutputVocabulary(
        models.indices.map {
          VocabularyModel(
            name: models[$0].reference.description, vocabulary: tokenizers[$0]?.vocabulary,
            rows: rows[$0])
        }, request, taking: tokenizer.vocabulary)
      let report = VocabularyReport(output)
      vocabulary = VocabularyPlan(
        reading: .byToken(output), rows: rows, rowCount: output.rowCount, home: home,
        tokenizer: tokenizer, report: report)
      patch(tokenizer, output, settings)
      warn(of: report, settings)
      comparePreparations(tokenizers, home)
    } catch {
      refuse(error, settings)
    }
  }

  /// The tokenizers of all models; a warning takes the place of one that cannot be read, an error if it is the
  /// one that the output takes.
  private mutating func readTokenizers(home: Int) -> [Tokenizer?] {
    var tokenizers: [Tokenizer?] = []
    for (index, model) in models.enumerated() {
      do {
        let relative = tokenizers.last { $0 != nil } ?? nil
        let tokenizer = try Tokenizer(model.files, sharingWith: relative)
        tokenizers.append(tokenizer)
        if tokenizer == nil, index != home {
          findings.warning(
            "\(model.reference) has no tokenizer: its rows are taken for those of "
              + "\(models[home].reference)", at: node(of: model.reference))
        }
      } catch {
        tokenizers.append(nil)
        let message = "the tokenizer of \(model.reference) cannot be read: \(error)"
        if index == home {
          findings.error(message, at: node(of: model.reference))
        } else {
          findings.warning(
            message, advice: "its rows are taken for those of \(models[home].reference)",
            at: node(of: model.reference))
        }
      }
    }
    return tokenizers
  }

  private mutating func rule(
    _ token: TokenizerSettings.Token, _ tokenizers: [Tokenizer?], _ rows: [Int],
    _ settings: TokenizerSettings
  ) -> TokenRule? {
    let text = JSONKey(token.text)
    func lender(_ reference: ModelReference) -> Int? { index(of: reference) }
    let source: TokenRule.Source?
    switch token.source {
    case .model(let reference):
      source = lender(reference).map { .token(text, model: $0) }
    case .token(let other, let reference):
      source = lender(reference).map { .token(JSONKey(other), model: $0) }
    case .tokenID(let id, let reference): source = lender(reference).map { .row(id, model: $0) }
    case .zero: source = .zero
    case nil: source = nil
    }
    switch source {
    case .token(let wanted, let model):
      let id = tokenizers[model]?.vocabulary.id(of: wanted)
      guard let id, id < rows[model] else {
        findings.error(
          "\(models[model].reference) has no row for the token \(wanted)", at: settings.node)
        return nil
      }
    case .row(let id, let model) where !(0..<rows[model] ~= id):
      findings.error(
        "\(models[model].reference) has \(rows[model]) rows, and no row \(id)", at: settings.node)
      return nil
    default: break
    }
    return TokenRule(text: text, source: source, isForced: token.isForced)
  }

  private mutating func refuse(_ conflict: VocabularyConflict, _ settings: TokenizerSettings) {
    for pair in conflict.pairs {
      findings.error(
        "\(models[pair.first].reference) and \(models[pair.second].reference) have different "
          + "vocabularies, which cannot be united: \(pair.difference)",
        advice: "take one of them: \"tokenizer: {source: base}\"; --allow-dead-tokens adds their "
          + "words all the same, as tokens that text hardly ever becomes", at: settings.node)
    }
  }

  private mutating func patch(
    _ tokenizer: Tokenizer, _ output: OutputVocabulary, _ settings: TokenizerSettings
  ) {
    do {
      let patch = try TokenizerPatch(tokenizer, for: output)
      for file in patch.files { vocabulary?.write(file.name, file.bytes) }
      for warning in patch.warnings { findings.warning(warning, at: settings.node) }
    } catch {
      findings.error("the tokenizer cannot be changed: \(error)", at: settings.node)
    }
    guard let home = vocabulary?.home, home != donor else { return }
    guard let theirs = json("generation_config.json", of: home) else { return }
    guard let own = json("generation_config.json", of: donor) else {
      vocabulary?.write("generation_config.json", theirs.bytes)
      return
    }
    let edits = TokenIDs.edits(of: own.root.json, to: theirs.root.json)
    if let changed = try? own.applying(edits) {
      vocabulary?.write("generation_config.json", changed.bytes)
    }
  }

  /// A JSON file of a model; nil if there is none that can be read.
  func json(_ name: String, of model: Int) -> JSONDocument? {
    (try? models[model].files.read(name)).flatMap { try? JSONDocument(parsing: $0) }
  }

  // MARK: Without one

  /// Cuts embeddings to the shortest.
  private mutating func planCut(_ known: [Int?]) {
    guard let shortest = known.compactMap(\.self).min() else { return }
    let longer = models.indices.filter { known[$0] ?? shortest != shortest }
    if longer.isEmpty { return }
    vocabulary = VocabularyPlan(
      reading: .cut, rows: known.map { $0 ?? 0 }, rowCount: shortest, home: donor)
    for model in longer {
      findings.warning(
        "the embedding of \(models[model].reference) is cut from \(known[model] ?? 0) rows to "
          + "\(shortest), whatever tokens they belong to", at: node(of: models[model].reference))
    }
  }

  /// Refuses to merge embeddings of different lengths, and names the ways out.
  mutating func refuseVocabularies(
    _ one: ModelReference, _ rows: Int, _ other: ModelReference, _ otherRows: Int
  ) {
    // A tokenizer setting that failed has said why.
    if recipe.tokenizer != nil, findings.hasErrors { return }
    findings.error(
      "the vocabularies differ: \(one) has \(rows) rows, \(other) has \(otherRows)",
      advice:
        "add \"tokenizer: {source: base}\" to keep the base's, \"tokenizer: {source: union}\" "
        + "to join them, or cut them with --unsafe-truncate-embeddings", at: node(of: other))
  }

  /// Refuses an output whose embedding and head are of models with different numbers of rows.
  mutating func checkVocabularyRows(_ assembly: Assembly) {
    guard vocabulary == nil, !findings.hasErrors else { return }
    let steps = assembly.steps.filter { $0.output.name.isEmbedding || $0.output.name.isOutputHead }
    guard let first = steps.first, let rows = first.output.shape.first,
      let other = steps.first(where: { $0.output.shape.first != rows })
    else { return }
    refuseVocabularies(
      models[first.inputs[0].model].reference, rows, models[other.inputs[0].model].reference,
      other.output.shape.first ?? 0)
  }

  /// Warns where rows of the same number belong to different tokens.
  private mutating func compareVocabularies() {
    let words = models.map { Tokenizer.wordFiles($0.files) }
    guard options.copiesTokenizer, words.contains(where: { !$0.isEmpty && $0 != words[donor] }),
      let own = try? Tokenizer(models[donor].files)
    else { return }
    let home = own.vocabulary.tokens
    let rows = models.map(\.checkpoint.embeddingRows)
    for model in models.indices where words[model] != words[donor] && rows[model] == rows[donor] {
      guard let other = try? Tokenizer(models[model].files, sharingWith: own) else { continue }
      let tokens = other.vocabulary.tokens
      let differing = zip(home, tokens).count { $0 != nil && $1 != nil && $0 != $1 }
      let lost = tokens.dropFirst(home.count).compactMap { $0?.string }
      guard differing > 0 || !lost.isEmpty else { continue }
      let reason =
        differing > 0
        ? "\(differing) rows belong to other tokens in \(models[model].reference) than in "
          + "\(models[donor].reference), and are merged with them"
        : "\(models[model].reference) has tokens that the output will not know: \(sample(lost))"
      findings.warning(
        reason,
        advice:
          "add \"tokenizer: {source: union}\", or \"{source: base}\", to merge token by token",
        at: node(of: models[model].reference))
    }
  }
}
