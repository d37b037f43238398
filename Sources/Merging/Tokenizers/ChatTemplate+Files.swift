// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

extension ChatTemplate {
  /// The files that hold a template, with this one in them: all of the places where one is looked for.
  ///
  /// - Parameters:
  ///   - config: tokenizer_config.json with all other changes made; nil if there is none.
  ///   - home: Where the tokenizer's files come from.
  package func files(
    config: JSONDocument?, home: ModelFiles
  ) throws -> [(name: String, bytes: [UInt8])] {
    var files: [(name: String, bytes: [UInt8])] = [("chat_template.jinja", Array(text.utf8))]
    if let config {
      files.append(("tokenizer_config.json", try installed(in: config, home).bytes))
    }
    // Models that see or hear keep it in a file of their processor.
    if home.content("chat_template.json") != nil {
      let json: JSON = ["chat_template": .string(text)]
      files.append(("chat_template.json", json.bytes(.pretty(indent: 2)) + [UInt8(ascii: "\n")]))
    }
    return files
  }

  /// A tokenizer_config.json with this template as its only one, or as the default one of several.
  private func installed(in config: JSONDocument, _ home: ModelFiles) throws -> JSONDocument {
    let key = "chat_template"
    let named = config.root[key]?.elements.enumerated().first { _, entry in
      entry["name"]?.string == "default"
    }
    let path: [JSONPathComponent] =
      named.map { [.key(key), .index($0.offset), "template"] } ?? [.key(key)]
    do throws(TokenizerFault) {
      return try config.patched([.set(path, to: .string(text))])
    } catch {
      throw TokenizerError(file: home.path("tokenizer_config.json"), fault: error)
    }
  }
}
