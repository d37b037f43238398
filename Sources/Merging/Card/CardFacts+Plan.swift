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
  ///   - endpoint: Address of the hub that models come from.
  ///   - repository: The id that the merge will have.
  package init(
    _ plan: MergePlan, title: String, repository: String?, endpoint: String, toolVersion: String
  ) {
    let spec = plan.method.spec
    self.init(
      title: title,
      method: Method(
        id: spec.id, title: spec.title, sentence: spec.summary, paperTitle: spec.paper?.title,
        paperURL: spec.paper?.url),
      recipe: plan.recipe.text, toolVersion: toolVersion)
    self.repository = repository
    let links = HubLinks(endpoint: endpoint)
    let sources = plan.sources
    models = sources.map { Model($0, links) }
    parameters = ResolvedParameters(plan).shared
    seed = spec.isRandom ? Int(exactly: plan.seed) : nil
    layers = plan.layers.flatMap { run in
      run.sources.map { source in
        LayerRow(
          output: run.output.text,
          source: Model(plan.models[source.model], links).displayName,
          sourceLayers: source.layers.text)
      }
    }
    tokenizerSource = plan.models[plan.vocabulary?.home ?? plan.donor].source.hubID
    describe(plan)
    inherit(
      from: sources.flatMap { source in
        [
          (
            model: source.model.source.hubID ?? source.model.source.reference.path,
            card: source.card
          )
        ]
          + (source.model.source.adapter.map { adapter in
            [(model: adapter.hubID ?? adapter.folder.string, card: Self.card(in: adapter.folder))]
          } ?? [])
      })
    warnings += plan.warnings.map(\.message)
  }

  /// What the output is.
  private mutating func describe(_ plan: MergePlan) {
    let donor = plan.models[plan.donor].checkpoint
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
    usesOwnCode = donor.config?.json["auto_map"]?.members?.isEmpty == false
    task = ModelTask(
      architecture: architecture, modelType: modelType,
      hasVision: donor.config?.json["vision_config"] != nil,
      hasModules: names.contains("modules.json"))
  }

  /// The card in a model's folder; nil if there is none to be read.
  static func card(in folder: FilePath) -> ModelCard? {
    guard let bytes = try? FileSystem.read(folder.appending("README.md")) else { return nil }
    return try? ModelCard(parsing: String(decoding: bytes, as: UTF8.self))
  }

  private static func hasChatTemplate(_ folder: FilePath) -> Bool {
    guard let bytes = try? FileSystem.read(folder.appending("tokenizer_config.json")),
      let json = try? JSON.parse(bytes)
    else { return false }
    return json["chat_template"].map { !$0.isNull } ?? false
  }
}

extension CardFacts.Model {
  /// A model that takes part, without its role and parameters.
  init(_ model: MergePlan.Model, _ links: HubLinks) {
    let source = model.source
    self.init(
      name: source.hubID ?? source.reference.path, hubID: source.hubID,
      url: source.hubID.map(links.model), commit: source.commit)
    if let id = source.hubID, let commit { commitURL = links.commit(commit, of: id) }
    adapter = source.adapter.map { found in
      var adapter = CardFacts.Adapter(
        name: source.reference.adapter?.path ?? found.folder.string, rank: found.rank,
        alpha: found.alpha)
      adapter.hubID = found.hubID
      adapter.url = found.hubID.map(links.model)
      adapter.commit = found.commit
      adapter.license = CardFacts.card(in: found.folder)?.strings("license").first
      return adapter
    }
  }

  fileprivate init(_ source: MergePlan.Source, _ links: HubLinks) {
    self.init(source.model, links)
    license = source.card?.strings("license").first
    isBase = source.isBase
    parameters = source.parameters
  }
}

extension MergePlan {
  /// A model that something of the output comes from.
  fileprivate struct Source {
    let model: Model
    let card: ModelCard?
    let isBase: Bool
    let parameters: [(name: String, value: String)]
  }

  /// The models of this recipe and of those whose results it uses, each once; the results themselves are none.
  fileprivate var sources: [Source] {
    var seen = Set(stages.map { ModelReference(path: $0.name) })
    var found: [Source] = []
    for (number, plan) in ([self] + stages.map(\.plan)).enumerated() {
      let resolved = ResolvedParameters(plan)
      for (model, parameters) in zip(plan.models, resolved.models)
      where seen.insert(model.source.reference).inserted {
        found.append(
          Source(
            model: model, card: CardFacts.card(in: model.checkpoint.folder),
            isBase: model.isBase && number == 0, parameters: parameters))
      }
    }
    return found
  }

  /// The dtype of most of the output.
  package var mainDType: DType? {
    var bytes: [DType: Int] = [:]
    for step in steps { bytes[step.output.dtype, default: 0] += step.output.byteCount }
    return bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key
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
