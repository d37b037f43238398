// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
package import Weights

/// What the user wants beside what the recipe says.
package struct PlanOptions: Hashable, Sendable {
  /// The most bytes of tensors in a shard; 0 for a single shard.
  package var maximumShardSize = 5_000_000_000
  /// Wins over the recipe's seed.
  package var seed: UInt64?
  /// Whether models of different architectures may be merged.
  package var allowsMixedArchitectures = false
  package var copiesTokenizer = true
  /// Whether vocabularies of different words are united, into tokens that text hardly ever becomes.
  package var allowsDeadTokens = false
  /// Whether embeddings of different lengths are cut to the shortest.
  package var truncatesEmbeddings = false
  /// Whether the token that ends a turn of the chat template is made one that ends the output.
  package var fixesEndOfTurn = false
  /// What tensors that an adapter changes are rounded to before they are merged; nil: not at all.
  package var adapterDType: DType?

  package init() {}
}

/// Turns a recipe and the headers of its models into a plan, or into a list of everything that is wrong.
package struct Planner {
  let recipe: Recipe
  let options: PlanOptions
  let models: [SourceModel]
  let layouts: [ModelLayout]
  var findings = Findings()
  /// The models of the ensemble that is being planned, for messages.
  var sourceModels: [ModelReference] = []
  /// The output's vocabulary; nil if rows are merged one by one as they are.
  var vocabulary: VocabularyPlan?

  private init(_ recipe: Recipe, _ options: PlanOptions, _ models: [SourceModel]) {
    self.recipe = recipe
    self.options = options
    let donor = recipe.base.flatMap { base in models.firstIndex { $0.reference == base } } ?? 0
    self.models = models.isEmpty ? [] : models.aligned(to: donor)
    layouts = self.models.map { ModelLayout($0.checkpoint) }
    for warning in recipe.warnings { findings.add(warning) }
    for model in models {
      for warning in model.warnings { findings.warning(warning, at: node(of: model.reference)) }
    }
  }

  /// Plans a merge of models that are read from `source`: headers, configurations and tokenizer files only.
  ///
  /// - Throws: `RecipeError`, `UnavailableModels`, `CancellationError`.
  package static func plan(
    _ recipe: Recipe, from source: any ModelSource, options: PlanOptions = PlanOptions()
  ) async throws -> MergePlan {
    if !recipe.stages.isEmpty {
      return try await planStages(recipe, from: source, options: options)
    }
    // Without a method the models do not matter; nobody shall wait for them.
    guard MergeMethods.method(recipe.method) != nil else {
      return try plan(recipe, [], options: options)
    }
    var models: [SourceModel] = []
    var failures: [UnavailableModels.Failure] = []
    for reference in recipe.models {
      do {
        models.append(try await source.model(reference))
      } catch let error as CancellationError {
        throw error
      } catch {
        failures.append(.init(model: reference, node: recipe.node(of: reference), error: error))
      }
    }
    guard failures.isEmpty else {
      throw UnavailableModels(failures: failures, file: recipe.file, text: recipe.text)
    }
    return try plan(recipe, models, options: options)
  }

  /// Plans a merge of models that have been found already.
  package static func plan(
    _ recipe: Recipe, _ models: [SourceModel], options: PlanOptions = PlanOptions()
  ) throws(RecipeError) -> MergePlan {
    var planner = Planner(recipe, options, models)
    guard let plan = planner.plan(), !planner.findings.hasErrors else {
      throw RecipeError(planner.findings.sorted, file: recipe.file, text: recipe.text)
    }
    return plan
  }

  private mutating func plan() -> MergePlan? {
    guard let method = MergeMethods.method(recipe.method) else {
      let names = MergeMethods.all.map { $0.spec.id }
      let meant = Suggestion.closest(to: recipe.method, among: names)
      findings.error(
        "unknown merge method \"\(recipe.method)\"",
        advice: meant.map { "did you mean \"\($0)\"?" }
          ?? "methods: \(names.joined(separator: ", "))",
        at: recipe.methodNode)
      return nil
    }
    checkParameterNames(method.spec)
    if method.spec.base == .required, recipe.base == nil, !slicesNameBases {
      findings.error(
        "\(method.spec.id) needs a base model", advice: "add \"base_model: NAME\"",
        at: recipe.methodNode)
      return nil
    }
    checkArchitectures()
    planVocabulary()
    let donor = recipe.base.flatMap(index(of:)) ?? 0
    var assembly = Assembly(method: method, donor: donor)
    assemble(&assembly)
    checkVocabularyRows(assembly)
    guard !findings.hasErrors else { return nil }

    assembly.steps.sort { $0.output.name < $1.output.name }
    groupSurveys(&assembly.steps, assembly.scoped)
    guard !findings.hasErrors else { return nil }
    let layout = ShardLayout(
      assembly.steps.map(\.output), maximumShardSize: options.maximumShardSize)
    let bases = Set(assembly.bases)
    let unused = unusedTensors(assembly)
    let config = config(assembly)
    return MergePlan(
      recipe: recipe, method: method,
      models: models.indices.map { .init(source: models[$0], isBase: bases.contains($0)) },
      donor: donor, steps: assembly.steps, layout: layout, config: config,
      files: files(donor), writtenFiles: vocabulary?.files ?? [],
      vocabulary: vocabulary?.report, layers: assembly.layers, unused: unused, seed: seed,
      warnings: findings.warnings)
  }

  var seed: UInt64 { options.seed ?? recipe.seed ?? 0 }

  func index(of reference: ModelReference) -> Int? {
    models.firstIndex { $0.reference == reference }
  }

  private var slicesNameBases: Bool {
    if case .slices(let slices) = recipe.body { return slices.allSatisfy { $0.base != nil } }
    return false
  }

  private mutating func checkArchitectures() {
    let architectures = models.map { model in
      model.reference.architecture.map { [$0] } ?? model.checkpoint.config?.architectures ?? []
    }
    guard let first = architectures.first, !options.allowsMixedArchitectures else { return }
    for (model, other) in zip(models, architectures) where other != first {
      guard model.checkpoint.config != nil, models[0].checkpoint.config != nil else {
        let bare = model.checkpoint.config == nil ? model : models[0]
        findings.error(
          "\(bare.reference) has no config.json, so that its architecture is not known",
          advice: "copy it beside the weights, or force the merge with --allow-crimes",
          at: node(of: bare.reference))
        continue
      }
      findings.error(
        "\(model.reference) is a \(other.joined(separator: ", ")), but "
          + "\(models[0].reference) is a \(first.joined(separator: ", "))",
        advice: "merge models of one architecture, or force it with --allow-crimes",
        at: node(of: model.reference))
    }
  }

  func node(of reference: ModelReference) -> YAMLNode? { recipe.node(of: reference) }
}
