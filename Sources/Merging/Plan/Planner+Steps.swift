// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

extension Planner {
  /// Makes the step of one output tensor.
  ///
  /// - Parameter inputs: The name that the tensor has in each model of the ensemble.
  mutating func append(
    _ assembly: inout Assembly, _ name: TensorName, _ inputs: [TensorName], _ ensemble: Ensemble,
    position: Double
  ) {
    var found: [(source: Int, input: MergePlan.Input, name: TensorName)] = []
    var absent: [Int] = []
    for (source, model) in ensemble.models.enumerated() {
      let checkpoint = models[model].checkpoint
      if let tensor = checkpoint.tensor(inputs[source]) {
        found.append((source, input(model, tensor), tensor.info.name))
      } else {
        absent.append(model)
      }
    }
    if name.isBuffer, !found.isEmpty, !absent.isEmpty {
      assembly.steps.append(copyStep(name, found.map(\.input)))
      return
    }
    for model in absent {
      findings.error(
        "\(models[model].reference) has no tensor \(inputs[ensemble.models.firstIndex(of: model) ?? 0])",
        advice: "compare the models' tensors; only models of one build can be merged",
        at: node(of: models[model].reference))
    }
    guard absent.isEmpty else { return }
    let views = viewed(found.map(\.input), as: name)
    guard checkShapes(name, views) else { return }
    let infos = views.map(\.tensor.info)
    let shape = views[0].shape
    guard infos.allSatisfy(\.dtype.isFloat) else {
      assembly.steps.append(copyStep(name, found.map(\.input)))
      return
    }
    let common = infos.dropFirst().reduce(infos[0].dtype) { $0.promoted(with: $1.dtype) }
    let computing = recipe.dtype ?? common
    let tensor = MergeTensor(
      name: name, shape: shape, models: found.map { models[$0.input.model].reference.description },
      base: ensemble.base, seed: seed, isDouble: computing == .f64)
    sourceModels = ensemble.models.map { models[$0].reference }
    let parameters = parameters(
      assembly.method.spec, ensemble.scope, output: name.text,
      inputs: found.map { ($0.source, $0.name.text) }, base: ensemble.base, position: position)
    guard !findings.hasErrors else { return }
    do throws(MethodFault) {
      let method = try assembly.method.init(parameters.values, tensor)
      let scope = parameters.values.surveyScope ?? assembly.method.spec.surveyScope
      if scope != .tensor { assembly.scoped[name] = (tensor, scope) }
      assembly.steps.append(
        MergePlan.Step(
          output: TensorInfo(
            name: name, dtype: recipe.outputDType ?? computing, shape: shape),
          inputs: views, action: .merge(method), computing: computing,
          parameters: parameters.values))
    } catch {
      findings.error(
        error.message, at: parameters.nodes.node(error) ?? recipe.methodNode)
    }
  }

  /// A tensor of a model, with what the model's adapter does to it.
  func input(_ model: Int, _ tensor: StoredTensor) -> MergePlan.Input {
    var update = models[model].updates[tensor.info.name]
    update?.rounding = options.adapterDType
    return MergePlan.Input(model: model, tensor: tensor, update: update)
  }

  /// A step that takes over the first input as it is.
  func copyStep(_ name: TensorName, _ inputs: [MergePlan.Input]) -> MergePlan.Step {
    let inputs = viewed(inputs, as: name)
    let info = inputs[0].tensor.info
    return MergePlan.Step(
      output: TensorInfo(name: name, dtype: info.dtype, shape: inputs[0].shape), inputs: inputs,
      action: .copy(input: 0), computing: info.dtype, parameters: MethodParameters())
  }

  private mutating func checkShapes(_ name: TensorName, _ inputs: [MergePlan.Input]) -> Bool {
    let shapes = inputs.map(\.shape)
    guard let other = shapes.firstIndex(where: { $0 != shapes[0] }) else { return true }
    let a = models[inputs[0].model].reference
    let b = models[inputs[other].model].reference
    let isVocabulary =
      name.isVocabularyIndexed && shapes[0].dropFirst() == shapes[other].dropFirst()
    if isVocabulary {
      refuseVocabularies(a, shapes[0][0], b, shapes[other][0])
    } else {
      findings.error(
        "\(name) differs in shape: \(shapes[0]) in \(a), \(shapes[other]) in \(b)",
        advice: "only models of one build and size can be merged", at: node(of: b))
    }
    return false
  }
}
