// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import Weights

/// What the user wants beside what the recipe says.
package struct PlanOptions: Sendable {
  /// The most bytes of tensors in a shard; 0 for a single shard.
  package var maximumShardSize = 5_000_000_000
  /// Wins over the recipe's seed.
  package var seed: UInt64?
  /// Whether models of different architectures may be merged.
  package var allowsMixedArchitectures = false
  package var copiesTokenizer = true

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

  private init(_ recipe: Recipe, _ options: PlanOptions, _ models: [SourceModel]) {
    self.recipe = recipe
    self.options = options
    self.models = models
    layouts = models.map { ModelLayout($0.checkpoint) }
    for warning in recipe.warnings { findings.add(warning) }
  }

  /// Plans a merge of models that are read from `source`: headers, configurations and tokenizer files only.
  package static func plan(
    _ recipe: Recipe, from source: any ModelSource, options: PlanOptions = PlanOptions()
  ) async throws -> MergePlan {
    var models: [SourceModel] = []
    for reference in recipe.models { models.append(try await source.model(reference)) }
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
        advice: meant.map { "did you mean \"\($0)\"?" } ?? "methods: \(names.joined(separator: ", "))",
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
    checkTokenizer()
    let donor = recipe.base.flatMap(index(of:)) ?? 0
    var assembly = Assembly(method: method, donor: donor)
    assemble(&assembly)
    guard !findings.hasErrors else { return nil }

    assembly.steps.sort { $0.output.name < $1.output.name }
    let layout = ShardLayout(
      assembly.steps.map(\.output), maximumShardSize: options.maximumShardSize)
    let bases = Set(assembly.bases)
    return MergePlan(
      recipe: recipe, method: method,
      models: models.indices.map { .init(source: models[$0], isBase: bases.contains($0)) },
      donor: donor, steps: assembly.steps, layout: layout, config: config(assembly),
      files: files(donor), layers: assembly.layers, seed: seed, warnings: findings.warnings)
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
      findings.error(
        "\(model.reference) is a \(other.joined(separator: ", ")), but "
          + "\(models[0].reference) is a \(first.joined(separator: ", "))",
        advice: "merge models of one architecture, or force it with --allow-crimes",
        at: node(of: model.reference))
    }
  }

  /// Where a model is named first.
  func node(of reference: ModelReference) -> YAMLNode? {
    switch recipe.body {
    case .models(let sources):
      if let source = sources.first(where: { $0.model == reference }) { return source.node["model"] }
    case .slices(let slices):
      for source in slices.flatMap(\.sources) where source.model == reference {
        return source.node["model"]
      }
    case .modules: break
    }
    return recipe.base == reference ? recipe.baseNode : nil
  }

  // MARK: Files beside the weights

  private mutating func config(_ assembly: Assembly) -> JSONDocument? {
    guard let config = models[assembly.donor].checkpoint.config else {
      findings.warning(
        "\(models[assembly.donor].reference) has no config.json, and neither will the output")
      return nil
    }
    var edits: [JSONEdit] = []
    if let dtype = recipe.outputDType ?? recipe.dtype ?? commonDType(assembly.steps) {
      for scope in config.textScopes {
        let keys = ["dtype", "torch_dtype"].filter { config.value(at: scope + [$0]) != nil }
        for key in keys.isEmpty && scope.isEmpty ? ["torch_dtype"] : keys
        where config.value(at: scope + [key])?.string != dtype.torchName {
          edits.append(
            .set((scope + [key]).map(JSONPathComponent.key), to: .string(dtype.torchName)))
        }
      }
    }
    if !assembly.origins.isEmpty {
      let stacked = StackedConfig(
        donor: config, layerCount: layouts[assembly.donor].mainStack?.layers.count ?? 0,
        origins: assembly.origins
      ).edits()
      edits += stacked.edits
      for warning in stacked.warnings { findings.warning(warning) }
    }
    do throws(JSONEditError) {
      return try config.document.applying(edits)
    } catch {
      findings.error("config.json cannot be changed: \(error)")
      return nil
    }
  }

  /// The dtype of most of the output's bytes, if the tensors that are computed have more than one.
  private func commonDType(_ steps: [MergePlan.Step]) -> DType? {
    var bytes: [DType: Int] = [:]
    for step in steps where step.output.dtype.isFloat {
      bytes[step.output.dtype, default: 0] += step.output.byteCount
    }
    return bytes.max { ($0.value, $0.key.byteWidth) < ($1.value, $1.key.byteWidth) }?.key
  }

  private func files(_ donor: Int) -> [MergePlan.CopiedFile] {
    let folder = models[donor].checkpoint.folder
    let files = (try? FileSystem.files(below: folder)) ?? []
    return files.filter { path in
      DonorFiles.isCopied(path.string)
        && (options.copiesTokenizer || !DonorFiles.isTokenizer(path.string))
    }.map { MergePlan.CopiedFile(source: folder.pushing($0), name: $0.string) }
  }
}

/// Which of a model's files go with its weights into a model that is made of it.
package enum DonorFiles {
  private static let weightSuffixes = [
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".ggml", ".onnx", ".onnx_data", ".h5",
    ".msgpack", ".tflite", ".ot", ".npz", ".mlmodel", ".index.json", ".tmp", ".incomplete", ".lock",
    ".metadata",
  ]
  private static let stateNames: Set<String> = [
    "README.md", "config.json", "mergekit_config.yml", "trainer_state.json", "all_results.json",
    "train_results.json", "eval_results.json", "optimizer.pt", "scheduler.pt", "hubmerge.lock",
  ]
  private static let otherFolders: Set<String> = [
    "original", "onnx", "openvino", "coreml", "runs", "logs", "checkpoints", "metal", "gguf",
  ]

  /// Everything but weights, training state, hidden files, and what the output gets anew.
  package static func isCopied(_ path: String) -> Bool {
    let parts = path.split(separator: "/").map(String.init)
    guard let name = parts.last, !stateNames.contains(path) else { return false }
    if parts.contains(where: { $0.hasPrefix(".") }) { return false }
    if parts.dropLast().contains(where: { otherFolders.contains($0) || $0.hasPrefix("checkpoint-") })
    {
      return false
    }
    return !weightSuffixes.contains { name.lowercased().hasSuffix($0) }
      && !name.hasPrefix("adapter_config")
  }

  package static func isTokenizer(_ path: String) -> Bool {
    let names = [
      "tokenizer", "special_tokens_map", "added_tokens", "vocab", "merges.txt", "spiece",
      "sentencepiece", "chat_template", "tekken", "additional_chat_templates",
    ]
    return names.contains { path.hasPrefix($0) }
  }
}
