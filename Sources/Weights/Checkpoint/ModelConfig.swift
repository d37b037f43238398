// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
internal import Storage
package import SystemPackage

/// A model's config.json, kept as it was written: what is not changed on purpose comes back byte for byte.
package struct ModelConfig: Sendable {
  package let document: JSONDocument
  /// The same as a tree, for looking things up.
  package let json: JSON

  package init(_ bytes: [UInt8], path: FilePath) throws(WeightsError) {
    do throws(JSONError) {
      document = try JSONDocument(parsing: bytes)
    } catch {
      throw .brokenJSON(path, error)
    }
    json = document.root.json
    guard case .object = json else { throw .malformed(path, "it is not an object") }
  }

  /// Far more bytes than any has: lists of layers and of labels are the longest things in it.
  package static let maximumSize = 64 << 20

  package init(contentsOf path: FilePath) throws {
    try self.init(FileSystem.read(path, limit: Self.maximumSize), path: path)
  }

  package var modelType: String? { json["model_type"]?.string }

  /// The class names that can load this checkpoint.
  package var architectures: [String] {
    json["architectures"]?.array?.compactMap(\.string) ?? []
  }

  /// The nested objects that may describe the text model, outermost first: the configuration itself, and in
  /// models of several parts the part that holds the language model.
  package var textScopes: [[String]] {
    let paths: [[String]] = [
      [], ["text_config"], ["llm_config"], ["language_config"], ["thinker_config", "text_config"],
    ]
    return paths.filter { value(at: $0) != nil }
  }

  /// The value at a path of keys.
  package func value(at path: [String]) -> JSON? {
    var node: JSON? = json
    for key in path { node = node?[key] }
    return node
  }

  /// Rows of the embedding as the configuration states them.
  package var vocabularySize: Int? {
    for scope in textScopes.reversed() {
      if let size = value(at: scope + ["vocab_size"])?.int { return size }
    }
    return nil
  }

  /// Whether the output head is the embedding: as stated, else nil.
  package var tiesWordEmbeddings: Bool? {
    for scope in textScopes {
      if let tied = value(at: scope + ["tie_word_embeddings"])?.bool { return tied }
    }
    return nil
  }

  /// The dtype that the weights are said to have.
  package var weightDType: DType? {
    for scope in textScopes {
      for key in ["dtype", "torch_dtype"] {
        if let name = value(at: scope + [key])?.string { return DType(torchName: name) }
      }
    }
    return nil
  }

  /// Where it says how the weights were quantised.
  package var quantizationPaths: [[String]] {
    (textScopes.map { $0 + ["quantization_config"] } + [["compression_config"]]).filter {
      value(at: $0)?.members != nil
    }
  }

  /// How the weights were quantised; nil if they were not.
  package var quantization: JSON? { quantizationPaths.first.flatMap(value) }
}
