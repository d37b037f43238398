// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

extension CardFacts {
  /// The variables of the templates; the names in it are a promise to whoever writes one, and docs/cards.md explains
  /// them.
  package var json: JSON {
    var members = described.members ?? []
    members += (measured.members ?? []) + (compatible.members ?? [])
    return .object(members)
  }

  private var described: JSON {
    .object([
      "title": .string(title),
      "repository": .optional(repository),
      "summary": .string(summarySentence),
      "tool_version": .string(toolVersion),
      "warnings": .strings(warnings),
      "method": method.json,
      "base": base?.json ?? .null,
      "models": .array(models.map(\.json)),
      "parameters": .texts(parameters),
      "layers": .array(layers.map(\.json)),
      "tokenizer_source": .optional(tokenizerSource),
      "recipe": .string(recipe),
      "results": .array(results?.tasks.map(\.json) ?? []),
      "pictures": .array(
        pictures.map { .object(["title": .string($0.title), "path": .string($0.path)]) }),
      "provenance": .array(provenance.map(\.json)),
    ])
  }

  private var measured: JSON {
    .object([
      "dtype": .optional(dtype),
      "architecture": .optional(architecture),
      "model_type": .optional(modelType),
      "pipeline_tag": .optional(task.pipelineTag),
      "auto_class": .string(task.autoClass),
      "uses_chat_template": .bool(usesChatTemplate),
      "usage": .string(
        UsageSnippet(
          task: task, id: repository ?? "path/to/model", usesChatTemplate: usesChatTemplate,
          usesOwnCode: usesOwnCode
        ).text),
      "seed": seed.map { .int($0) } ?? .null,
      "parameter_count": .int(parameterCount),
      "parameter_count_text": .string(parameterCountText),
      "tensor_count": .int(tensorCount),
      "shard_count": .int(shardCount),
      "total_bytes": .int(totalBytes),
      "license": .optional(license.license),
      "license_name": .optional(license.name),
      "license_link": .optional(license.link),
      "languages": .strings(languages),
      "datasets": .strings(datasets),
      "tags": .strings(tags),
      "library_name": .string(task.libraryName),
      "card_data": .string(String(frontMatter.yaml.dropLast())),
    ])
  }

  /// What the templates of huggingface_hub call the same things.
  private var compatible: JSON {
    .object([
      "model_id": .string(title),
      "model_summary": .string(summarySentence),
      "model_description": .string(method.sentence),
      "base_model": baseModels.isEmpty ? nil : .string(baseModels.joined(separator: ", ")),
      "language": languages.isEmpty ? nil : .string(languages.joined(separator: ", ")),
      "repo": repository.map { .string($0) },
      "paper": method.paperURL.map { .string($0) },
    ])
  }

  /// `8,030,261,248 (8.0B)`.
  private var parameterCountText: String {
    let digits = String(parameterCount)
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { grouped += "," }
      grouped.append(digit)
    }
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1000, "K")]
    guard let (unit, letter) = units.first(where: { parameterCount >= $0.0 }) else {
      return grouped
    }
    let tenths = (Double(parameterCount) * 10 / Double(unit)).rounded()
    return "\(grouped) (\(tenths / 10)\(letter))"
  }
}

// MARK: Metadata

extension CardFacts {
  /// The hub ids of the models, the base first, and of their adapters, each once; never a path.
  package var baseModels: [String] {
    var ids: [String] = []
    let models = ([base] + models).compactMap(\.self)
    for id in models.compactMap(\.hubID) + models.compactMap(\.adapter?.hubID)
    where !ids.contains(id) && ModelCard.isRepositoryID(id) { ids.append(id) }
    return ids
  }

  /// The metadata that are derived from the merge each time, so that those of an older card do not count.
  static let derivedKeys: Set<String> = [
    "base_model", "base_model_relation", "library_name", "license", "license_name", "license_link",
    "language", "pipeline_tag", "tags", "datasets",
  ]

  /// The metadata of the card, in the order it is written.
  package var frontMatter: JSON {
    .object([
      "base_model": baseModels.isEmpty ? nil : .strings(baseModels),
      "base_model_relation": baseModels.isEmpty ? nil : .string("merge"),
      "library_name": .string(task.libraryName),
      "license": license.license.map { .string($0) },
      "license_name": license.name.map { .string($0) },
      "license_link": license.link.map { .string($0) },
      "language": languages.isEmpty ? nil : .strings(languages),
      "pipeline_tag": task.pipelineTag.map { .string($0) },
      "tags": .strings(tags),
      "datasets": datasets.isEmpty ? nil : .strings(datasets),
      "model-index": results?.modelIndex(model: title),
    ])
  }
}

// MARK: Parts

extension CardFacts.Model {
  fileprivate var json: JSON {
    .object([
      "name": .string(displayName),
      "hub_id": .optional(hubID),
      "url": .optional(url),
      "commit": .optional(commit),
      "commit_url": .optional(commitURL),
      "license": .optional(license),
      "is_base": .bool(isBase),
      "adapter": adapter?.json ?? .null,
      "parameters": .texts(parameters),
    ])
  }
}

extension CardFacts.Adapter {
  fileprivate var json: JSON {
    .object([
      "name": .string(displayName),
      "hub_id": .optional(hubID),
      "url": .optional(url),
      "commit": .optional(commit),
      "license": .optional(license),
      "rank": rank.map { .int($0) } ?? .null,
      "alpha": .string(alpha.shortText),
    ])
  }
}

extension CardFacts.Provenance {
  fileprivate var json: JSON {
    .object(["kind": .string(kind), "name": .string(name), "digest": .string(digest)])
  }
}

extension EvaluationResults.Task {
  fileprivate var json: JSON {
    .object([
      "name": .string(name),
      "dataset": .string(dataset),
      "shots": shots.map { .int($0) } ?? .null,
      "metrics": .array(
        metrics.map { metric in
          .object([
            "type": .string(metric.type),
            "filter": .optional(metric.filter),
            "value": .string(metric.value.double?.fourDigits ?? ""),
            "error": .optional(metric.standardError?.fourDigits),
          ])
        }),
    ])
  }
}

extension Double {
  /// `0.5030`: results of evaluations.
  fileprivate var fourDigits: String {
    guard abs(self) < 1e9 else { return description }
    let scaled = Int((abs(self) * 1e4).rounded())
    let digits = String(scaled % 10_000)
    return (self < 0 ? "-" : "") + "\(scaled / 10_000)."
      + String(repeating: "0", count: 4 - digits.utf8.count) + digits
  }
}

extension CardFacts.Method {
  fileprivate var json: JSON {
    let hasPaper = paperTitle != nil || paperURL != nil
    return .object([
      "id": .string(id),
      "title": .string(title),
      "sentence": .string(sentence),
      "paper": hasPaper
        ? .object(["title": .optional(paperTitle), "url": .optional(paperURL)]) : .null,
    ])
  }
}

extension CardFacts.LayerRow {
  fileprivate var json: JSON {
    .object([
      "output": .string(output),
      "source": .string(source),
      "source_layers": .string(sourceLayers),
    ])
  }
}

extension JSON {
  fileprivate static func optional(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
  fileprivate static func strings(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
  fileprivate static func texts(_ members: [(name: String, value: String)]) -> JSON {
    .object(members.map { Member($0.name, .string($0.value)) })
  }
}
