// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import SystemPackage
internal import Weights

extension Planner {
  /// Plans a recipe and before it those whose results it uses; nothing of them has to exist yet.
  ///
  /// What is wrong with all of them is told at once; of one that needs the result of another that cannot be made,
  /// only what is among `findings` already.
  static func planStages(
    _ recipe: Recipe, _ models: OpenModels, _ options: PlanOptions, _ findings: Findings
  ) throws -> MergePlan {
    var stages: [MergePlan.Stage] = []
    var findings = findings
    var failed: Set<String> = []
    func attempt(_ name: String, _ recipe: Recipe) throws -> MergePlan? {
      guard !recipe.models.contains(where: { failed.contains($0.path) }) else {
        failed.insert(name)
        return nil
      }
      do {
        let plan = try plan(recipe, models.models(of: recipe, stages: stages), options: options)
        for warning in plan.warnings { findings.add(warning) }
        return plan
      } catch let error as RecipeError {
        failed.insert(name)
        for finding in error.diagnostics { findings.add(finding) }
        return nil
      }
    }
    for stage in recipe.stages {
      guard let plan = try attempt(stage.name, stage.recipe) else { continue }
      stages.append(MergePlan.Stage(name: stage.name, plan: plan))
    }
    var last = recipe
    last.stages = []
    guard var plan = try attempt("", last), !findings.hasErrors else {
      throw RecipeError(findings.sorted, file: recipe.file, text: recipe.text)
    }
    plan.stages = stages
    plan.warnings = findings.sorted
    return plan
  }
}

extension MergePlan.Stage {
  /// The result as a model, which can be planned with before it exists: its headers are known from the plan.
  ///
  /// Tokenizer and other files are read where the result will have them from, or as the plan has them.
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
        }, tensors: tensors, isSingleFile: donor.isSingleFile),
      files: plan.outputFiles)
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
