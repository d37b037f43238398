// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

/// An id that a file of the output names, and that its embedding has no row for.
struct LostID: Hashable {
  let file: String
  /// The key that it is the value of.
  let key: String
  let id: Int
  /// The token, if the file is the tokenizer's.
  var token: String?
}

extension MergePlan {
  /// Rows of the output's embedding; nil if it has none.
  var embeddingRows: Int? { steps.first { $0.output.name.isEmbedding }?.output.shape.first }

  /// Configuration, tokenizer and other files as the output will have them.
  var outputFiles: ModelFiles {
    var contents: [String: ModelFiles.Content] = [:]
    for file in files { contents[file.name] = .copy(of: file.source) }
    for file in writtenFiles { contents[file.name] = .bytes(file.bytes) }
    if let config { contents["config.json"] = .bytes(config.bytes) }
    return ModelFiles(contents, folder: models[donor].checkpoint.folder)
  }

  /// The ids in an output's files that have no row.
  ///
  /// Looked at is what concerns the text's vocabulary: other parts of a model may have one of their own. A file that
  /// makes no sense names none.
  ///
  /// - Parameter skipsTokens: Whether the tokenizer is known to have none.
  func lostIDs(in files: ModelFiles, skipsTokens: Bool = false) throws -> [LostID] {
    guard let rows = embeddingRows else { return [] }
    var lost: [LostID] = []
    func look(_ json: JSON?, _ file: String) {
      guard let json else { return }
      lost += TokenIDs.outside(json, rows: rows).map { LostID(file: file, key: $0.key, id: $0.id) }
    }
    if let bytes = try files.read("config.json") {
      let config = try ModelConfig(bytes, path: files.path("config.json"))
      for scope in config.textScopes { look(config.value(at: scope), "config.json") }
    }
    if let bytes = try files.read("generation_config.json") {
      look(try? JSON.parse(bytes), "generation_config.json")
    }
    if !skipsTokens, let tokenizer = try? Tokenizer(files) {
      lost += tokenizer.vocabulary.tokens.enumerated().dropFirst(rows).compactMap { id, text in
        text.map { LostID(file: tokenizer.source, key: "id", id: id, token: $0.string) }
      }
    }
    return lost
  }
}
