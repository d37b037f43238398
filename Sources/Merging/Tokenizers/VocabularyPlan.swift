// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

/// What a plan does about vocabularies.
struct VocabularyPlan {
  /// How the rows of tensors that have one for each token are read.
  enum Reading {
    case asTheyAre
    /// The first rows only.
    case cut
    /// Those that belong to the tokens of the output.
    case byToken(OutputVocabulary)
  }

  let reading: Reading
  /// Rows of each model's embedding.
  let rows: [Int]
  /// Rows of the output's embedding.
  let rowCount: Int
  /// The model whose tokenizer the output takes.
  let home: Int
  /// That tokenizer, if it has been read.
  var tokenizer: Tokenizer?
  /// Files that are written instead of being copied.
  var files: [MergePlan.WrittenFile] = []

  /// What becomes of the tokens, if rows are read by them.
  var report: VocabularyReport?

  /// Writes a file, instead of what it was to be so far.
  mutating func write(_ name: String, _ bytes: [UInt8]) {
    files.removeAll { $0.name == name }
    files.append(MergePlan.WrittenFile(name: name, bytes: bytes))
  }

  func written(_ name: String) -> [UInt8]? { files.first { $0.name == name }?.bytes }
}

extension Planner {
  /// The inputs of a tensor as they are read if it has a row for each token.
  func viewed(_ inputs: [MergePlan.Input], as name: TensorName) -> [MergePlan.Input] {
    guard let vocabulary, name.isVocabularyIndexed, let first = inputs.first,
      inputs.allSatisfy({
        $0.tensor.info.dtype.isFloat && $0.tensor.info.shape.first == vocabulary.rows[$0.model]
      })
    else { return inputs }
    let width = first.tensor.info.shape.dropFirst()
    let map: (Int) -> RowMap
    var lenders = Dictionary(inputs.map { ($0.model, $0) }, uniquingKeysWith: { one, _ in one })
    switch vocabulary.reading {
    case .asTheyAre: return inputs
    case .cut: map = { RowMap(first: vocabulary.rowCount, of: $0) }
    case .byToken(let output):
      for model in models.indices where lenders[model] == nil {
        guard let tensor = models[model].checkpoint.tensor(name),
          tensor.info.shape.first == vocabulary.rows[model],
          tensor.info.shape.dropFirst() == width
        else { continue }
        lenders[model] = input(model, tensor)
      }
      let rules = OutputVocabulary.RowRules(output, rows: lenders.mapValues { $0.shape[0] })
      map = rules.map(for:)
    }
    return inputs.map { input in
      let map = map(input.model)
      if map.isIdentity(of: input.model, rows: input.shape[0]) { return input }
      let view = MergePlan.RowView(
        map: map, sources: map.models.sorted().compactMap { lenders[$0] })
      return MergePlan.Input(
        model: input.model, tensor: input.tensor, update: input.update, view: view)
    }
  }

  /// The changes to the donor's config.json: the number of rows, and the ids of special tokens if the tokenizer is
  /// another model's.
  func vocabularyEdits(_ config: ModelConfig) -> [JSONEdit] {
    guard let vocabulary else { return [] }
    let keys = ["vocab_size", "padded_vocab_size"]
    var edits = config.textScopes.flatMap { scope in keys.map { scope + [$0] } }.filter { path in
      config.value(at: path)?.int.map { $0 != vocabulary.rowCount } == true
    }.map { JSONEdit.set($0.map(JSONPathComponent.key), to: .int(vocabulary.rowCount)) }
    if let home = models[vocabulary.home].checkpoint.config, vocabulary.home != donor {
      edits += TokenIDs.edits(of: config.json, to: home.json)
    }
    return edits
  }

  /// The model whose configuration and other files the output takes.
  var donor: Int { recipe.base.flatMap(index(of:)) ?? 0 }
}

extension Checkpoint {
  /// Rows of the input embedding; as config.json states it where there is none.
  var embeddingRows: Int? {
    let embedding = names.first(where: \.isEmbedding).flatMap { tensors[$0] }
    guard let rows = embedding?.info.shape.first ?? config?.vocabularySize else { return nil }
    return 0...Vocabulary.idLimit ~= rows ? rows : nil
  }
}
