// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import Weights

/// What is to be merged and how: the YAML document that mergekit calls a merge configuration, typed.
package struct Recipe: Sendable {
  /// What the output is made of; exactly one form is used.
  package enum Body: Sendable {
    /// Whole models.
    case models([Source])
    /// Layers, stacked.
    case slices([Slice])
    /// Parts of a model, each merged in its own way.
    case modules([Module])
  }

  /// A model among the sources of a slice, or of the whole.
  package struct Source: Sendable {
    package let model: ModelReference
    /// The layers taken; nil for all.
    package let layers: Range<Int>?
    package let parameters: ParameterTable
    package let node: YAMLNode
  }

  package struct Slice: Sendable {
    package let sources: [Source]
    package let base: ModelReference?
    package let parameters: ParameterTable
    package let node: YAMLNode
  }

  package struct Module: Sendable {
    package enum Body: Sendable {
      case models([Source])
      case slices([Slice])
    }

    package let name: String
    package let body: Body
    package let parameters: ParameterTable
    package let node: YAMLNode
  }

  /// The file, as the user named it.
  package let file: String
  /// The text of the file, unchanged: it goes into the model's folder and card.
  package let text: String
  package let method: String
  package let methodNode: YAMLNode
  package let body: Body
  package let base: ModelReference?
  package let baseNode: YAMLNode?
  /// What inputs are rounded to as they are read.
  package let dtype: DType?
  /// What the output is stored as.
  package let outputDType: DType?
  package let parameters: ParameterTable
  package let tokenizer: TokenizerSettings?
  package let chatTemplate: String?
  package let seed: UInt64?
  /// What was noticed while reading; with errors among it, the recipe is only good for finding more of them.
  package internal(set) var findings: [Diagnostic]
  /// Recipes of the same file whose results are used here by name, in the order in which they are merged.
  package internal(set) var stages: [Stage] = []

  /// A recipe whose result other recipes use.
  package struct Stage: Sendable {
    package let name: String
    package let recipe: Recipe
  }

  /// Every model that takes part, each once, in the order of the recipe, a base that is named only as base last.
  package var models: [ModelReference] {
    var seen = Set<ModelReference>()
    var all = sources.map(\.model) + slices.compactMap(\.base)
    if let base { all.append(base) }
    all += tokenizer?.models ?? []
    return all.filter { seen.insert($0).inserted }
  }

  /// Where a model is named first; nil if that is in a reference of the tokenizer's settings.
  func node(of model: ModelReference) -> YAMLNode? {
    if let source = sources.first(where: { $0.model == model }) { return source.node["model"] }
    if let slice = slices.first(where: { $0.base == model }) { return slice.node["base_model"] }
    return base == model ? baseNode : nil
  }

  private var sources: [Source] {
    switch body {
    case .models(let sources): sources
    case .slices(let slices): slices.flatMap(\.sources)
    case .modules(let modules):
      modules.flatMap { module -> [Source] in
        switch module.body {
        case .models(let sources): sources
        case .slices(let slices): slices.flatMap(\.sources)
        }
      }
    }
  }

  private var slices: [Slice] {
    switch body {
    case .models: []
    case .slices(let slices): slices
    case .modules(let modules):
      modules.flatMap { module -> [Slice] in
        if case .slices(let slices) = module.body { slices } else { [] }
      }
    }
  }
}

/// What a recipe says about the output's vocabulary.
package struct TokenizerSettings: Sendable {
  package enum Source: Hashable, Sendable {
    /// The vocabularies of all models together.
    case union
    /// That of the base model.
    case base
    case model(ModelReference)
  }

  package struct Token: Sendable {
    package enum Source: Hashable, Sendable {
      case model(ModelReference)
      case token(String, of: ModelReference)
      case tokenID(Int, of: ModelReference)
      case zero
    }

    package let text: String
    package let source: Source?
    package let isForced: Bool
  }

  package let source: Source
  package let tokens: [Token]
  package let padToMultipleOf: Int?
  /// Whether as many rows are kept as the base has.
  package let keepsPadding: Bool
  package let node: YAMLNode

  /// Models that are named here.
  package var models: [ModelReference] {
    var models: [ModelReference] = []
    if case .model(let model) = source { models.append(model) }
    for token in tokens {
      switch token.source {
      case .model(let model), .token(_, let model), .tokenID(_, let model): models.append(model)
      case .zero, nil: break
      }
    }
    return models
  }
}
