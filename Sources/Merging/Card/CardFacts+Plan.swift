// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
package import Weights

extension CardFacts {
  /// What a card can say about a planned (or finished) merge.
  ///
  /// - Parameters:
  ///   - hub: Address of the hub that ids are linked to.
  ///   - repository: The id that the merge will have.
  package init(
    _ plan: MergePlan, title: String, repository: String?, hub: String, toolVersion: String
  ) {
    let spec = plan.method.spec
    self.init(
      title: title,
      method: Method(
        id: spec.id, title: spec.title, sentence: spec.summary, paperTitle: spec.paper?.title,
        paperURL: spec.paper?.url),
      recipe: plan.recipe.text, toolVersion: toolVersion)
    self.repository = repository
    let donor = plan.models[plan.donor].checkpoint
    let cards = plan.models.map { Self.card(of: $0.checkpoint) }
    models = zip(plan.models, cards).map { model, card in
      Model(
        name: model.source.hubID ?? model.source.reference.path, hubID: model.source.hubID,
        url: model.source.hubID.map { "\(hub)/\($0)" }, commit: model.source.commit,
        license: card?.strings("license").first, isBase: model.isBase,
        parameters: plan.recipe.parameterTexts(of: model.source.reference))
    }
    parameters = plan.recipe.parameters.entries.map { ($0.name, $0.setting.text) }
    seed = spec.isRandom ? Int(exactly: plan.seed) : nil
    layers = plan.layers.flatMap { run in
      run.sources.map { source in
        LayerRow(
          output: run.output.text, source: plan.models[source.model].name,
          sourceLayers: source.layers.text)
      }
    }
    tokenizerSource = plan.models[plan.vocabulary?.home ?? plan.donor].source.hubID
    dtype = plan.mainDType?.torchName
    architecture = donor.config?.architectures.first
    modelType = donor.config?.modelType
    parameterCount = plan.parameterCount
    tensorCount = plan.steps.count
    shardCount = plan.layout.shards.count
    totalBytes = plan.layout.dataSize
    let names = Set(plan.files.map(\.name) + plan.writtenFiles.map(\.name))
    usesChatTemplate =
      names.contains("chat_template.jinja") || Self.hasChatTemplate(donor.folder)
    task = ModelTask(
      architecture: architecture, modelType: modelType,
      hasVision: donor.config?.json["vision_config"] != nil,
      hasModules: names.contains("modules.json"))
    inherit(from: zip(models, cards).map { ($0.name, $1) })
    warnings += plan.warnings.map(\.message)
  }

  private static func card(of checkpoint: Checkpoint) -> ModelCard? {
    guard let bytes = try? FileSystem.read(checkpoint.folder.appending("README.md")) else {
      return nil
    }
    return try? ModelCard(parsing: String(decoding: bytes, as: UTF8.self))
  }

  private static func hasChatTemplate(_ folder: FilePath) -> Bool {
    guard let bytes = try? FileSystem.read(folder.appending("tokenizer_config.json")),
      let json = try? JSON.parse(bytes)
    else { return false }
    return json["chat_template"].map { !$0.isNull } ?? false
  }
}

extension MergePlan {
  /// The dtype of most of the output.
  package var mainDType: DType? {
    var bytes: [DType: Int] = [:]
    for step in steps { bytes[step.output.dtype, default: 0] += step.output.byteCount }
    return bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key
  }
}

extension Recipe {
  /// The parameters that a model is given, as text.
  func parameterTexts(of model: ModelReference) -> [(name: String, value: String)] {
    let sources: [Source] =
      switch body {
      case .models(let sources): sources
      case .slices, .modules: []
      }
    return sources.first { $0.model == model }?.parameters.entries.map {
      ($0.name, $0.setting.text)
    } ?? []
  }
}

extension Setting {
  /// The setting in one line, as YAML would have it.
  package var text: String {
    switch self {
    case .value(let value): value.description
    case .gradient(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .conditional(let cases):
      cases.map { item in
        (item.filter.map { "\($0): " } ?? "") + item.setting.text
      }.joined(separator: "; ")
    }
  }
}

extension Range<Int> {
  /// The first and the last, as people write them.
  package var text: String {
    count == 1 ? "\(lowerBound)" : "\(lowerBound)–\(upperBound - 1)"
  }
}
