// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The models of a recipe and of the recipes whose results it uses, opened all at once.
struct OpenModels: Sendable {
  private let models: [ModelReference: SourceModel]

  /// - Throws: `UnavailableModels` with all that cannot be read, and `findings` beside them; `CancellationError`.
  init(_ recipe: Recipe, from source: any ModelSource, beside findings: Findings) async throws {
    let recipes = recipe.stages.map(\.recipe) + [recipe]
    let results = Set(recipe.stages.map(\.name))
    var references: [ModelReference] = []
    for reference in recipes.flatMap(\.models)
    where !results.contains(reference.path) && !references.contains(reference) {
      references.append(reference)
    }
    typealias Opened = [ModelReference: Result<SourceModel, any Error>]
    // One model with several adapters is fetched once, and not by tasks that wait for one another.
    let families = Dictionary(grouping: references) { [$0.path, $0.revision ?? ""] }
    let opened = await withTaskGroup(of: Opened.self) { group in
      for family in families.values {
        group.addTask {
          var opened: Opened = [:]
          for reference in family {
            do { opened[reference] = .success(try await source.model(reference)) } catch {
              opened[reference] = .failure(error)
            }
          }
          return opened
        }
      }
      return await group.reduce(into: Opened()) { $0.merge($1) { one, _ in one } }
    }
    var failures: [UnavailableModels.Failure] = []
    for reference in references {
      guard case .failure(let error)? = opened[reference] else { continue }
      if error is CancellationError { throw error }
      let node = recipes.lazy.compactMap { $0.node(of: reference) }.first
      failures.append(.init(model: reference, node: node, error: error))
    }
    guard failures.isEmpty else {
      throw UnavailableModels(
        failures: failures, findings: findings.sorted, file: recipe.file, text: recipe.text)
    }
    models = opened.compactMapValues { try? $0.get() }
  }

  /// The models of a recipe, in its order; those that are results of stages from these.
  func models(of recipe: Recipe, stages: [MergePlan.Stage]) throws -> [SourceModel] {
    try recipe.models.compactMap { reference in
      try stages.first { $0.name == reference.path }?.model(reference) ?? models[reference]
    }
  }
}
