// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Something in a card's metadata that a hub would refuse or could not use.
package struct CardProblem: Sendable, Hashable {
  /// Where it is, such as `datasets[0]`.
  package let field: String
  package let message: String
}

/// The rules that hubs check metadata by, as far as they can be checked without one.
extension ModelCard {
  package var problems: [CardProblem] {
    guard let members = metadata.members else {
      return [CardProblem(field: "", message: "the metadata are not a mapping")]
    }
    var problems: [CardProblem] = []
    func add(_ field: String, _ message: String) {
      problems.append(CardProblem(field: field, message: message))
    }
    checkLicense(add)
    for key in ["tags", "widget", "metrics"] {
      if let value = metadata[key], value.array == nil { add(key, "must be a list") }
    }
    for key in ["tags", "metrics", "language", "datasets", "base_model"] {
      for (index, value) in (metadata[key]?.array ?? []).enumerated() where value.string == nil {
        add("\(key)[\(index)]", "must be a string; a word such as no needs quotes")
      }
    }
    for key in [
      "language", "datasets", "base_model", "library_name", "pipeline_tag", "license_name",
      "license_link", "new_version",
    ] {
      guard let value = metadata[key], value.string == nil else { continue }
      let mayBeList = ["language", "datasets", "base_model"].contains(key)
      if !(mayBeList && value.array != nil) {
        add(key, "must be a string; a word such as no needs quotes")
      }
    }
    for key in ["base_model", "datasets"] {
      for (index, id) in strings(key).enumerated() where !Self.isRepositoryID(id) {
        let field = metadata[key]?.array == nil ? key : "\(key)[\(index)]"
        add(field, "\"\(id)\" is not the id of a repository")
      }
    }
    let relations = ["adapter", "merge", "quantized", "finetune"]
    if let relation = metadata["base_model_relation"], !relations.contains(relation.string ?? "") {
      add("base_model_relation", "must be one of \(relations.joined(separator: ", "))")
    }
    checkModelIndex(add)
    checkKeys(of: members, below: "", add)
    return problems
  }

  private func checkLicense(_ add: (String, String) -> Void) {
    guard let license = metadata["license"], !license.isNull else {
      return add("license", "is missing")
    }
    if strings("license").isEmpty {
      add("license", "must be a string; a word such as no needs quotes")
    }
    if license.string == "other" {
      for key in ["license_name", "license_link"] where metadata[key] == nil {
        add(key, "is needed with license: other")
      }
    }
  }

  private func checkModelIndex(_ add: (String, String) -> Void) {
    guard let index = metadata["model-index"] else { return }
    guard let models = index.array else { return add("model-index", "must be a list") }
    for (number, model) in models.enumerated() {
      let field = "model-index[\(number)]"
      if model["name"]?.string == nil { add("\(field).name", "is missing") }
      guard let results = model["results"]?.array else {
        add("\(field).results", "must be a list")
        continue
      }
      for (number, result) in results.enumerated() {
        check(result, "\(field).results[\(number)]", add)
      }
    }
  }

  private func check(_ result: JSON, _ field: String, _ add: (String, String) -> Void) {
    if result["task"]?["type"]?.string == nil { add("\(field).task.type", "is missing") }
    for key in ["type", "name"] where result["dataset"]?[key]?.string == nil {
      add("\(field).dataset.\(key)", "is missing")
    }
    for key in ["config", "split"] {
      if let value = result["dataset"]?[key], value.string == nil {
        add("\(field).dataset.\(key)", "must be a string")
      }
    }
    let metrics = result["metrics"]?.array
    if metrics == nil { add("\(field).metrics", "must be a list") }
    for (number, metric) in (metrics ?? []).enumerated() {
      for key in ["type", "value"] where metric[key] == nil {
        add("\(field).metrics[\(number)].\(key)", "is missing")
      }
    }
    if result["source"]?["name"] != nil, result["source"]?["url"] == nil {
      add("\(field).source.url", "is needed with source.name")
    }
  }

  private func checkKeys(
    of members: [JSON.Member], below path: String, _ add: (String, String) -> Void
  ) {
    for member in members {
      let field = path.isEmpty ? member.key : "\(path).\(member.key)"
      if member.key.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "$") }) {
        add(field, "a key must not contain . or $")
      }
      for value in [member.value] + (member.value.array ?? []) {
        checkKeys(of: value.members ?? [], below: field, add)
      }
    }
  }

  /// Whether a text has the shape of a hub id: `name` or `owner/name`.
  package static func isRepositoryID(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), text.utf8.count <= 96 else { return false }
    let marks = Array("-._".utf8)
    return parts.allSatisfy { part in
      guard let first = part.utf8.first, let last = part.utf8.last else { return false }
      return !"-.".utf8.contains(first) && !"-.".utf8.contains(last)
        && !part.contains("--") && !part.contains("..")
        && part.utf8.allSatisfy { byte in
          marks.contains(byte)
            || Unicode.Scalar(byte).properties.isAlphabetic && byte < 0x80
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }
  }
}
