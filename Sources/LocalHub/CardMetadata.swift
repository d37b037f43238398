// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The YAML block at the head of a README, and what the hub has to say about it.
struct CardMetadata: Sendable {
  private(set) var value: JSON?
  private(set) var errors: [String] = []
  private(set) var warnings: [String] = []

  init(readme: String) {
    guard let block = Self.split(readme).block else {
      warnings = ["empty or missing yaml metadata in repo card"]
      return
    }
    do {
      let documents = try YAML.parse(Array(block.utf8))
      guard let root = documents.first, documents.count == 1 else {
        warnings = ["empty or missing yaml metadata in repo card"]
        return
      }
      guard root.mapping != nil else {
        errors = ["the metadata must be a mapping"]
        return
      }
      value = root.json
      check(root)
    } catch {
      errors = ["bad YAML in line \(error.location.line): \(error.message)"]
    }
  }

  /// The text between the first line, which must be `---`, and the next such line; and what follows.
  static func split(_ readme: String) -> (block: String?, body: String) {
    var text = Substring(readme)
    if text.hasPrefix("\u{feff}") { text.removeFirst() }
    let lines = text.drop(while: \.isWhitespace)
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    func isRule(_ line: Substring) -> Bool {
      line.hasPrefix("---") && line.dropFirst(3).allSatisfy(\.isWhitespace)
    }
    guard let first = lines.first, isRule(first),
      let end = lines.dropFirst().firstIndex(where: isRule)
    else { return (nil, readme) }
    return (
      lines[1..<end].joined(separator: "\n") + "\n", lines[(end + 1)...].joined(separator: "\n")
    )
  }

  private mutating func check(_ root: YAMLNode) {
    for member in root.mapping ?? [] where member.name.contains(where: { ".$".contains($0) }) {
      errors.append("\"\(member.name)\" must not contain \".\" or \"$\"")
    }
    for key in ["widget", "model-index"] {
      if let node = root[key], node.sequence == nil { errors.append("\"\(key)\" must be an array") }
    }
    for key in ["tags", "datasets", "metrics", "base_model", "language", "license"] {
      let node = root[key]
      let items = node?.sequence ?? node.map { [$0] } ?? []
      if !items.allSatisfy({ $0.string != nil }) {
        errors.append("\"\(key)\" must be a string or an array of strings")
      }
    }
    for key in ["base_model", "datasets"] {
      let node = root[key]
      for (index, item) in (node?.sequence ?? node.map { [$0] } ?? []).enumerated() {
        guard let text = item.string,
          text.hasPrefix("/") || text.hasPrefix(".") || text.contains(" ")
        else { continue }
        let place = node?.sequence == nil ? key : "\(key)[\(index)]"
        errors.append(
          "\"\(place)\" with value \"\(text)\" is not valid. Use a model id from https://hf.co/models."
        )
      }
    }
    for (index, model) in (root["model-index"]?.sequence ?? []).enumerated() {
      check(results: model["results"], of: "model-index[\(index)]")
    }
    if root["license"] == nil { warnings.append("\"license\" is missing") }
  }

  private mutating func check(results: YAMLNode?, of place: String) {
    guard let results = results?.sequence else {
      errors.append("\"\(place).results\" is required")
      return
    }
    for (index, result) in results.enumerated() {
      let place = "\(place).results[\(index)]"
      for path in [["task", "type"], ["dataset", "type"], ["dataset", "name"]]
      where result[path[0]]?[path[1]] == nil {
        errors.append("\"\(place).\(path.joined(separator: "."))\" is required")
      }
      for key in ["config", "split"] {
        if let node = result["dataset"]?[key], node.string == nil {
          errors.append("\"\(place).dataset.\(key)\" must be a string")
        }
      }
      for (number, metric) in (result["metrics"]?.sequence ?? []).enumerated() {
        for key in ["type", "value"] where metric[key] == nil {
          errors.append("\"\(place).metrics[\(number)].\(key)\" is required")
        }
      }
    }
  }
}
