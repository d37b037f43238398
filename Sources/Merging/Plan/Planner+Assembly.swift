// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

/// The steps of a plan in the making.
struct Assembly {
  let method: any MergeMethod.Type
  let donor: Int
  var steps: [MergePlan.Step] = []
  /// What the methods were prepared for whose surveys are about several tensors.
  var scoped: [TensorName: (MergeTensor, SurveyScope)] = [:]
  /// The models that had the role of a base.
  var bases: [Int] = []
  var layers: [MergePlan.LayerRun] = []
  /// The stacks that were put together of slices.
  var stackings: [Stacking] = []

  /// A stack of the output, and where its layers come from.
  struct Stacking {
    /// What precedes the layers' numbers.
    let prefix: String
    var layerCount = 0
    /// Empty if the models have no configuration.
    var origins: [StackedConfig.Origin] = []
    var sources: [(model: Int, stack: String, layers: Range<Int>)] = []
  }

  init(method: any MergeMethod.Type, donor: Int) {
    self.method = method
    self.donor = donor
  }
}

/// Sources that are merged with one another, and the parameters that hold for them.
struct Ensemble {
  /// Models of the plan, the base among them if the method gives it a role.
  var models: [Int]
  /// First layer of each source; empty for whole models.
  let starts: [Int]
  /// Which of `models` has the role of the base.
  let base: Int?
  let scope: ParameterScope
}

extension Planner {
  /// Makes the steps of all tensors.
  mutating func assemble(_ assembly: inout Assembly) {
    let names = outputNames(assembly.donor)
    switch recipe.body {
    case .models(let sources):
      assemble(&assembly, whole: sources, names, module: ParameterTable())
    case .slices(let slices):
      assemble(&assembly, slices, names, module: ParameterTable())
    case .modules(let modules):
      var unclaimed = Set(names)
      for module in modules {
        let selection = ModuleSelection(module.name)
        let names = names.filter { selection.contains($0) && unclaimed.remove($0) != nil }
        if names.isEmpty {
          findings.error(
            "\(models[assembly.donor].reference) has no module \"\(module.name)\"",
            advice: "its parts: " + layouts[assembly.donor].partNames.joined(separator: ", "),
            at: module.node)
          continue
        }
        switch module.body {
        case .models(let sources):
          assemble(&assembly, whole: sources, names, module: module.parameters)
        case .slices(let slices):
          assemble(&assembly, slices, names, module: module.parameters)
        }
      }
      copyUnclaimed(&assembly, unclaimed)
    }
  }

  /// The donor's names, with an output head if any model has one of its own, and without one if none has.
  private func outputNames(_ donor: Int) -> [TensorName] {
    let checkpoint = models[donor].checkpoint
    guard checkpoint.ownHeads.isEmpty else { return checkpoint.names }
    let names = checkpoint.names.filter { !$0.isOutputHead }
    guard checkpoint.tiedEmbedding != nil else { return checkpoint.names }
    let heads = models.flatMap { model in
      model.checkpoint.config?.architectures == checkpoint.config?.architectures
        ? model.checkpoint.ownHeads : []
    }
    return heads.isEmpty ? names : Set(names + heads).sorted()
  }

  /// Takes tensors of no listed module from the donor as they are.
  private mutating func copyUnclaimed(_ assembly: inout Assembly, _ names: Set<TensorName>) {
    guard !names.isEmpty else { return }
    findings.warning(
      "\(names.count) tensors belong to no module of the recipe and are taken from "
        + "\(models[assembly.donor].reference) as they are: \(list(names.sorted()))")
    for name in names.sorted() {
      guard let tensor = models[assembly.donor].checkpoint.tensors[name] else { continue }
      assembly.steps.append(
        copyStep(name, [input(assembly.donor, tensor)]))
    }
  }

  // MARK: Whole models

  private mutating func assemble(
    _ assembly: inout Assembly, whole sources: [Recipe.Source], _ names: [TensorName],
    module: ParameterTable
  ) {
    guard
      let ensemble = ensemble(
        &assembly, sources, base: recipe.base, appendsBase: true,
        levels: [module, recipe.parameters])
    else { return }
    let layout = layouts[assembly.donor]
    guard checkDepths(ensemble, layout) else { return }
    for name in names {
      var position = 0.0
      if let layered = LayeredName(name), let stack = layout.stacks[layered.stack] {
        position = Self.position(layered.layer, of: stack.layers.count)
      }
      let inputs = ensemble.models.map { _ in name }
      append(&assembly, name, inputs, ensemble, position: position)
    }
  }

  /// The place of a layer in its slice: 0 for the first, 1 for the last, and 1 for an only one.
  private static func position(_ layer: Int, of count: Int) -> Double {
    count > 1 ? Double(layer) / Double(count - 1) : 1
  }

  private mutating func checkDepths(_ ensemble: Ensemble, _ layout: ModelLayout) -> Bool {
    let depth = layout.mainStack?.layers.count
    var isEqual = true
    for model in ensemble.models {
      let other = layouts[model].mainStack?.layers.count
      guard other != depth else { continue }
      isEqual = false
      findings.error(
        "\(models[model].reference) has \(other ?? 0) layers, not \(depth ?? 0) as the others",
        advice: "choose layers with \"slices\"", at: node(of: models[model].reference))
    }
    return isEqual
  }

  // MARK: Slices

  private mutating func assemble(
    _ assembly: inout Assembly, _ slices: [Recipe.Slice], _ names: [TensorName],
    module: ParameterTable
  ) {
    let known = Set(names.compactMap { LayeredName($0)?.stack })
    let stacks = layouts[assembly.donor].stacks.values.filter { known.contains($0.prefix) }
    guard let stack = stacks.max(by: { ($0.byteCount, $1.prefix) < ($1.byteCount, $0.prefix) })
    else {
      findings.error("\(models[assembly.donor].reference) has no layers to slice")
      return
    }
    var ensembles: [(ensemble: Ensemble, count: Int)] = []
    for slice in slices {
      guard
        let ensemble = ensemble(
          &assembly, slice.sources, base: slice.base ?? recipe.base, appendsBase: false,
          levels: [slice.parameters, module, recipe.parameters]),
        let count = slice.sources.first?.layers?.count, checkRanges(slice, ensemble, stack.prefix)
      else { continue }
      ensembles.append((ensemble, count))
    }
    guard let first = ensembles.first, let last = ensembles.last,
      ensembles.count == slices.count
    else { return }

    for name in names {
      let stackName = LayeredName(name)?.stack
      if stackName == stack.prefix { continue }
      let isBefore = stackName != nil || name.isBeforeLayers
      let ensemble = isBefore ? first.ensemble : last.ensemble
      var position = 0.0
      if let layered = LayeredName(name), let other = layouts[assembly.donor].stacks[layered.stack]
      {
        position = Self.position(layered.layer, of: other.layers.count)
      }
      append(&assembly, name, ensemble.models.map { _ in name }, ensemble, position: position)
    }
    var stacking = Assembly.Stacking(prefix: stack.prefix)
    for (ensemble, count) in ensembles {
      append(&assembly, layersOf: ensemble, count, to: &stacking)
    }
    assembly.stackings.append(stacking)
  }

  /// The stack of a model that goes into one of the output.
  private func stack(of model: Int, for prefix: String) -> ModelLayout.Stack? {
    layouts[model].stacks[prefix] ?? layouts[model].mainStack
  }

  private mutating func checkRanges(
    _ slice: Recipe.Slice, _ ensemble: Ensemble, _ prefix: String
  ) -> Bool {
    var isValid = true
    for (source, model) in zip(slice.sources, ensemble.models) {
      guard let layers = source.layers else { continue }
      let depth = stack(of: model, for: prefix)?.layers.count ?? 0
      guard layers.upperBound > depth else { continue }
      isValid = false
      findings.error(
        "\(source.model) has only \(depth) layers, so there is no layer \(layers.upperBound - 1)",
        at: source.node["layer_range"])
    }
    return isValid
  }

  private mutating func append(
    _ assembly: inout Assembly, layersOf ensemble: Ensemble, _ count: Int,
    to stacking: inout Assembly.Stacking
  ) {
    let begin = stacking.layerCount
    let stacks = ensemble.models.compactMap { stack(of: $0, for: stacking.prefix) }
    guard let first = ensemble.models.first, let firstStack = stacks.first,
      stacks.count == ensemble.models.count
    else { return }
    for offset in 0..<count {
      let layer = ensemble.starts[0] + offset
      for suffix in firstStack.layers[layer] {
        let inputs = zip(stacks, ensemble.starts).map { stack, start in
          LayeredName.name(stack: stack.prefix, layer: start + offset, suffix: suffix)
        }
        append(
          &assembly,
          LayeredName.name(stack: stacking.prefix, layer: begin + offset, suffix: suffix),
          inputs, ensemble, position: Self.position(offset, of: count))
      }
      if let config = models[first].checkpoint.config {
        stacking.origins.append(
          .init(config: config, layer: layer, layerCount: firstStack.layers.count))
      }
    }
    stacking.layerCount += count
    for (index, model) in ensemble.models.enumerated() {
      let start = ensemble.starts[index]
      stacking.sources.append((model, stacks[index].prefix, start..<start + count))
    }
    assembly.layers.append(
      .init(
        output: begin..<begin + count,
        sources: zip(ensemble.models, ensemble.starts).map {
          .init(model: $0, layers: $1..<$1 + count)
        }))
  }

  // MARK: Ensembles

  /// The models that are merged with one another, checked against what the method takes.
  ///
  /// - Parameter appendsBase: Whether a base that is not among the sources is added to them.
  private mutating func ensemble(
    _ assembly: inout Assembly, _ sources: [Recipe.Source], base reference: ModelReference?,
    appendsBase: Bool, levels: [ParameterTable]
  ) -> Ensemble? {
    let spec = assembly.method.spec
    var members = sources.compactMap { index(of: $0.model) }
    var tables = sources.map(\.parameters)
    let starts = sources.compactMap { $0.layers?.lowerBound }
    for (place, source) in sources.enumerated()
    where sources[..<place].contains(where: { $0.model == source.model }) {
      findings.error(
        "\(source.model) is listed twice", advice: "give it one entry with the sum of the weights",
        at: source.node["model"])
      return nil
    }
    var base: Int?
    if spec.base != .ordinary, let reference, let model = index(of: reference) {
      if let place = members.firstIndex(of: model) {
        base = place
      } else if appendsBase {
        base = members.count
        members.append(model)
        tables.append(ParameterTable())
      } else if spec.base == .required {
        findings.error(
          "the base model \(reference) is not among the sources of the slice",
          advice: "list it with the layer_range that belongs to it", at: sources.first?.node)
        return nil
      }
      assembly.bases.append(model)
    } else if spec.base == .ordinary, let reference, appendsBase,
      !sources.contains(where: { $0.model == reference })
    {
      findings.warning(
        "\(spec.id) does not merge the base model; it only gives configuration and tokenizer",
        at: recipe.baseNode)
    }
    let count = members.count - (base == nil ? 0 : 1)
    guard spec.models.contains(count) else {
      let wanted =
        spec.models.lowerBound == spec.models.upperBound
        ? "exactly \(spec.models.lowerBound)" : "at least \(spec.models.lowerBound)"
      findings.error(
        "\(spec.id) takes \(wanted) model\(spec.models.lowerBound == 1 ? "" : "s")"
          + (spec.base == .ordinary ? "" : " beside the base") + ", not \(count)",
        at: sources.first?.node ?? recipe.methodNode)
      return nil
    }
    return Ensemble(
      models: members, starts: starts, base: base,
      scope: ParameterScope(levels: levels, sources: tables))
  }

  /// Some names, and how many more there are.
  func list(_ names: [TensorName]) -> String {
    let shown = names.prefix(3).map(\.text).joined(separator: ", ")
    return names.count > 3 ? "\(shown), …" : shown
  }
}
