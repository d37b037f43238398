// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import SystemPackage
internal import Weights

extension Planner {
  /// Plans a recipe and before it those whose results it uses; nothing of them has to exist yet.
  static func planStages(
    _ recipe: Recipe, from source: any ModelSource, options: PlanOptions
  ) async throws -> MergePlan {
    var source = StagedSource(source: source)
    for stage in recipe.stages {
      let plan = try await plan(stage.recipe, from: source, options: options)
      // The next recipe would read the files of the model that the tokenizer comes from.
      guard plan.writtenFiles.isEmpty, plan.vocabulary.map({ $0.home == plan.donor }) ?? true else {
        let finding = Diagnostic(
          .error, "the recipe of \(stage.name) changes the tokenizer, which only the last one can",
          advice: "move its \"tokenizer\" and \"chat_template\" to the last recipe",
          at: stage.recipe.tokenizer?.node)
        throw RecipeError([finding], file: recipe.file, text: recipe.text)
      }
      source.stages.append(MergePlan.Stage(name: stage.name, plan: plan))
    }
    var last = recipe
    last.stages = []
    var plan = try await plan(last, from: source, options: options)
    plan.stages = source.stages
    return plan
  }
}

/// The results of stages by their names, and all other models from another source.
private struct StagedSource: ModelSource {
  let source: any ModelSource
  var stages: [MergePlan.Stage] = []

  func model(_ reference: ModelReference) async throws -> SourceModel {
    if let stage = stages.first(where: { $0.name == reference.path }) {
      return try stage.model(reference)
    }
    return try await source.model(reference)
  }

  func fetchWeights(of model: SourceModel) async throws {
    try await source.fetchWeights(of: model)
  }
}

extension MergePlan.Stage {
  /// The result as a model, which can be planned with before it exists: its headers are known from the plan.
  ///
  /// Configuration and tokenizer files are read where the result will have them from.
  func model(_ reference: ModelReference) throws -> SourceModel {
    let donor = plan.models[plan.donor].checkpoint
    var tensors: [TensorName: StoredTensor] = [:]
    for (info, place) in zip(plan.layout.tensors, plan.layout.places) {
      tensors[info.name] = StoredTensor(info: info, shard: place.shard, range: place.range)
    }
    return SourceModel(
      reference: reference,
      checkpoint: Checkpoint(
        folder: donor.folder,
        config: try plan.config.map {
          try ModelConfig($0.bytes, path: donor.folder.appending("config.json"))
        },
        shards: plan.layout.shards.map {
          Checkpoint.Shard(name: $0.name, size: $0.size, folder: Self.place(name, in: "."))
        }, tensors: tensors, isSingleFile: donor.isSingleFile))
  }

  static func place(_ name: String, in folder: FilePath) -> FilePath { folder.appending(name) }
}

extension MergePlan {
  /// The plan with the results of its stages being read from, and written to, folders in `folder`.
  func placed(in folder: FilePath) -> MergePlan {
    var placed = self
    for (index, model) in models.enumerated() {
      guard let stage = stages.first(where: { $0.name == model.source.reference.path }) else {
        continue
      }
      placed.models[index].source = model.source.withShards(
        in: MergePlan.Stage.place(stage.name, in: folder))
    }
    for (index, stage) in stages.enumerated() {
      var plan = stage.plan
      plan.stages = Array(stages[..<index])
      plan = plan.placed(in: folder)
      plan.stages = []
      placed.stages[index].plan = plan
    }
    return placed
  }
}

extension SourceModel {
  fileprivate func withShards(in folder: FilePath) -> SourceModel {
    replacing(
      shards: checkpoint.shards.map { .init(name: $0.name, size: $0.size, folder: folder) },
      tensors: checkpoint.tensors, updates: updates)
  }
}
