// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage

/// What the hub tells about a repository at a revision; what nobody asks for is not looked up.
struct RepositoryInfo {
  let repository: StoredRepository
  let id: CommitID
  let commit: Commit
  let settings: RepositorySettings
  let tree: Tree
  let card: JSON?

  /// What is told about one repository.
  static let fields =
    listFields + [
      "cardData", "config", "model-index", "safetensors", "siblings", "spaces", "usedStorage",
      "widgetData",
    ]
  /// What is told about each of many.
  static let listFields = [
    "modelId", "author", "sha", "lastModified", "createdAt", "private", "gated", "disabled",
    "downloads", "likes", "tags", "pipeline_tag", "library_name",
  ]

  /// - Throws: `HubFailure` RevisionNotFound.
  init(_ repository: StoredRepository, at revision: String) throws {
    self.repository = repository
    id = try repository.resolve(revision)
    commit = try repository.commit(id)
    settings = try repository.settings
    tree = try repository.tree(commit.tree)
    card = try repository.card(tree)?.value
  }

  func listed(_ fields: [String], _ request: Request) throws -> JSON {
    var members = [
      JSON.Member("_id", .string(String(id.hex.prefix(24)))),
      JSON.Member("id", .string(repository.id.description)),
    ]
    for field in fields {
      if let value = try value(of: field, request) { members.append(JSON.Member(field, value)) }
    }
    return .object(members)
  }

  private func value(of field: String, _ request: Request) throws -> JSON? {
    let isModel = repository.id.kind == .model
    switch field {
    case "modelId": return isModel ? .string(repository.id.description) : nil
    case "author": return repository.id.namespace.map { .string($0) }
    case "sha": return .string(id.hex)
    case "lastModified": return .string(commit.date.iso8601)
    case "createdAt": return .string(settings.created.iso8601)
    case "private": return .bool(settings.isPrivate)
    case "gated": return settings.gate.map { .string($0) } ?? false
    case "disabled": return false
    // Nobody counts them here.
    case "downloads", "downloadsAllTime", "likes", "trendingScore": return 0
    case "tags": return .array(try tags)
    case "pipeline_tag": return card?["pipeline_tag"]
    case "library_name": return try library.map { .string($0) }
    case "cardData": return card
    case "model-index": return card?["model-index"]
    case "widgetData": return card?["widget"]
    case "baseModels": return baseModels
    case "spaces": return isModel ? [] : nil
    case "config": return isModel ? try config : nil
    case "safetensors": return isModel ? try repository.parameterCounts(tree) : nil
    case "siblings": return .array(tree.entries.map { $0.sibling(request.flag("blobs")) })
    case "usedStorage": return .int(tree.entries.reduce(0) { $0 + $1.size })
    case "securityRepoStatus": return ["scansDone": false, "filesWithIssues": []]
    default: return nil
    }
  }

  /// The parts of config.json that the hub repeats.
  private var config: JSON? {
    get throws {
      guard let entry = tree["config.json"], entry.size <= 4 << 20,
        let whole = try? JSON.parse(try repository.blobs.read(entry.blob))
      else { return nil }
      let kept = ["architectures", "model_type", "auto_map", "quantization_config"]
      return .object((whole.members ?? []).filter { kept.contains($0.key) })
    }
  }

  private var library: String? {
    get throws {
      if let named = card?["library_name"]?.string { return named }
      guard repository.id.kind == .model, let config = try config else { return nil }
      return config["architectures"] != nil && config["model_type"] != nil ? "transformers" : nil
    }
  }

  private var baseModels: JSON? {
    let names = card?["base_model"]?.array ?? card?["base_model"].map { [$0] } ?? []
    guard !names.isEmpty else { return nil }
    let relation = card?["base_model_relation"]?.string ?? (names.count > 1 ? "merge" : "finetune")
    return ["relation": .string(relation), "models": .array(names.map { ["id": $0] })]
  }

  private var tags: [JSON] {
    get throws {
      var tags = card?["tags"]?.array ?? []
      let hasSafetensors = tree.entries.contains { $0.path.hasSuffix(".safetensors") }
      let derived: [JSON?] = [
        try library.map { .string($0) }, card?["pipeline_tag"],
        repository.id.kind == .model ? try config?["model_type"] : nil,
        hasSafetensors ? "safetensors" : nil,
      ]
      for tag in derived.compactMap(\.self) where !tags.contains(tag) { tags.append(tag) }
      let prefixed = [
        ("language", ""), ("license", "license:"), ("base_model", "base_model:"),
        ("datasets", "dataset:"),
      ]
      for (key, prefix) in prefixed {
        let values = card?[key]?.array ?? card?[key].map { [$0] } ?? []
        tags += values.compactMap { $0.string.map { .string(prefix + $0) } }
      }
      return tags
    }
  }
}

extension StoredRepository {
  /// The README's metadata; nil without a README.
  func card(_ tree: Tree) throws -> CardMetadata? {
    try readme(tree).map { CardMetadata(readme: $0) }
  }

  func readme(_ tree: Tree) throws -> String? {
    guard let entry = tree["README.md"], entry.lfs == nil else { return nil }
    return String(decoding: try blobs.read(entry.blob), as: UTF8.self)
  }
}

extension TreeEntry {
  /// The file as it appears among a repository's siblings.
  fileprivate func sibling(_ withBlobs: Bool) -> JSON {
    .object([
      "rfilename": .string(path), "blobId": withBlobs ? .string(oid.hex) : nil,
      "size": withBlobs ? .int(size) : nil,
      "lfs": withBlobs
        ? lfs.map {
          [
            "sha256": .string($0.digest.hex), "size": .int($0.size),
            "pointerSize": .int($0.text.utf8.count),
          ]
        } : nil,
    ])
  }
}
