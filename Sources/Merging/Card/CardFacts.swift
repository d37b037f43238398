// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Everything a card can say about a merge: the variables of the card templates.
///
/// The names that templates use are those of `json`, listed at the top of `templates/default.md`.
package struct CardFacts: Sendable {
  /// One of the merged models.
  package struct Model: Sendable {
    /// The hub id, or what to call a model that is not on a hub; of a path only the last part is shown.
    package var name: String
    /// Nil for a model that is not on a hub.
    package var hubID: String?
    package var url: String?
    /// The 40 hexadecimal digits of the commit that was merged.
    package var commit: String?
    /// Where that commit is to be seen.
    package var commitURL: String?
    package var license: String?
    package var isBase: Bool
    /// The LoRA that was applied to it.
    package var adapter: Adapter?
    /// Weight, density and the like, in the order to show them.
    package var parameters: [(name: String, value: String)]

    package init(
      name: String, hubID: String? = nil, url: String? = nil, commit: String? = nil,
      commitURL: String? = nil, license: String? = nil, isBase: Bool = false,
      parameters: [(name: String, value: String)] = []
    ) {
      self.name = name
      self.hubID = hubID
      self.url = url
      self.commit = commit
      self.commitURL = commitURL
      self.license = license
      self.isBase = isBase
      self.parameters = parameters
    }
  }

  /// A LoRA that was applied to one of the models.
  package struct Adapter: Sendable {
    /// The hub id, or what to call an adapter that is not on a hub.
    package var name: String
    package var hubID: String?
    package var url: String?
    package var commit: String?
    package var license: String?
    package var rank: Int?
    package var alpha: Double

    package init(name: String, rank: Int? = nil, alpha: Double) {
      self.name = name
      self.rank = rank
      self.alpha = alpha
    }
  }

  /// A file that the merge can be told by.
  package struct Provenance: Sendable {
    /// What it is: `recipe`, `source`, `weights`.
    package var kind: String
    package var name: String
    /// How its bytes are known: `sha256:…`, `commit …`.
    package var digest: String

    package init(kind: String, name: String, digest: String) {
      self.kind = kind
      self.name = name
      self.digest = digest
    }
  }

  /// A drawing beside the card.
  package struct Picture: Sendable {
    package var title: String
    /// Relative to the card.
    package var path: String
    package init(title: String, path: String) {
      self.title = title
      self.path = path
    }
  }

  /// The merge method and where it comes from.
  package struct Method: Sendable {
    /// The name in recipes, such as `dare_ties`.
    package var id: String
    package var title: String
    /// What the method does, in one sentence.
    package var sentence: String
    package var paperTitle: String?
    package var paperURL: String?

    package init(
      id: String, title: String, sentence: String, paperTitle: String? = nil,
      paperURL: String? = nil
    ) {
      self.id = id
      self.title = title
      self.sentence = sentence
      self.paperTitle = paperTitle
      self.paperURL = paperURL
    }
  }

  /// A run of layers of a merge of slices.
  package struct LayerRow: Sendable {
    package var output: String
    package var source: String
    package var sourceLayers: String

    package init(output: String, source: String, sourceLayers: String) {
      self.output = output
      self.source = source
      self.sourceLayers = sourceLayers
    }
  }

  package var title: String
  /// The hub id the merge will have.
  package var repository: String?
  /// What was merged, in one sentence; made from the models and the method if it is nil.
  package var summary: String?
  package var method: Method
  package var models: [Model] = []
  /// The parameters of the whole recipe, resolved, in the order to show them.
  package var parameters: [(name: String, value: String)] = []
  /// The recipe as it was written.
  package var recipe: String
  package var layers: [LayerRow] = []
  package var tokenizerSource: String?
  package var seed: Int?

  package var dtype: String?
  package var architecture: String?
  package var modelType: String?
  package var parameterCount = 0
  package var tensorCount = 0
  package var shardCount = 0
  package var totalBytes = 0
  package var usesChatTemplate = false
  /// Whether the model's code is not that of transformers but comes with the model.
  package var usesOwnCode = false

  /// What was measured of the model.
  package var results: EvaluationResults?
  package var provenance: [Provenance] = []
  package var pictures: [Picture] = []

  package var task = ModelTask()
  package var license = LicenseDecision()
  package var languages: [String] = []
  package var datasets: [String] = []
  /// Tags besides `merge`, `hubmerge` and `mergekit`, by which hubs find merges.
  package var extraTags: [String] = []
  package var warnings: [String] = []
  /// The version of hubmerge that made the merge.
  package var toolVersion: String

  package init(title: String, method: Method, recipe: String, toolVersion: String) {
    self.title = title
    self.method = method
    self.recipe = recipe
    self.toolVersion = toolVersion
  }
}

extension CardFacts {
  package var base: Model? { models.first(where: \.isBase) }

  package var tags: [String] {
    ["merge", "hubmerge", "mergekit", method.id]
      + (models.contains { $0.adapter != nil } ? ["lora"] : []) + extraTags
  }

  /// The sentence under the title.
  package var summarySentence: String {
    if let summary { return summary }
    let merged = models.filter { !$0.isBase }.map { model in
      model.displayName + (model.adapter.map { " with \($0.displayName)" } ?? "")
    }
    let list =
      switch merged.count {
      case 0: base?.displayName ?? "no models"
      case 1: merged[0]
      default: merged.dropLast().joined(separator: ", ") + " and " + merged[merged.count - 1]
      }
    let onto = base.map { merged.isEmpty ? "" : " onto \($0.displayName)" } ?? ""
    return "A merge of \(list)\(onto) by \(method.title)."
  }

  /// What comes from the sources' own cards: languages and data sets of any, the task if they agree on it, the licence
  /// that all of them allow.
  ///
  /// - Parameter sources: each model's name and card; a card is nil if there is none to be read.
  package mutating func inherit(from sources: [(model: String, card: ModelCard?)]) {
    for card in sources.compactMap(\.card) {
      languages += card.strings("language").filter { !languages.contains($0) }
      datasets += card.strings("datasets").filter {
        !datasets.contains($0) && ModelCard.isRepositoryID($0)
      }
    }
    task.prefer(tags: sources.map { $0.card?.metadata["pipeline_tag"]?.string })
    license = LicenseRule.decide(
      sources.map { SourceLicense(model: Model(name: $0.model).displayName, card: $0.card) })
    warnings += license.warnings
  }
}

extension CardFacts.Model {
  /// The hub id, or the last part of a path: where files lie on somebody's machine is nobody's business.
  package var displayName: String { hubID ?? name.lastPathComponent }
}

extension CardFacts.Adapter {
  package var displayName: String { hubID ?? name.lastPathComponent }
}

extension String {
  fileprivate var lastPathComponent: String { split(separator: "/").last.map(String.init) ?? self }
}
