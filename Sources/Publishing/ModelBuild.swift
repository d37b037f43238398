// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
package import Merging
internal import Storage
package import SystemPackage
internal import Weights

/// From a recipe to a model folder: plan, fetch, merge, card.
package struct ModelBuild: Sendable {
  /// What is being worked on, and how far it is.
  package enum Event: Sendable {
    case planning
    case planned(MergePlan)
    case fetching(model: String)
    case merging(MergeEvent)
  }

  package struct Result: Sendable {
    package let folder: FilePath
    /// Time spent in the merge itself.
    package let seconds: Double
    /// Bytes read from the models and written to the folder.
    package let bytesRead: Int
    package let bytesWritten: Int
    /// Bytes that were read off the hub meanwhile; nil if models are fetched before.
    package let bytesStreamed: Int?

    /// Bytes read and written in a second.
    package var throughput: Double { Double(bytesRead + bytesWritten) / max(seconds, 1e-9) }
  }

  package let recipe: Recipe
  package let source: HubModelSource
  package let options: PlanOptions
  package let threads: Int
  /// Whether the model gets a lock.
  package var writesLock = true
  /// The lock that the merge has to agree with; nil for a new one.
  package var lock: MergeLock?
  package let toolVersion: String
  /// Address of the hub.
  package let hubAddress: String
  package let onEvent: @Sendable (Event) -> Void

  package init(
    recipe: Recipe, source: HubModelSource, options: PlanOptions, threads: Int,
    toolVersion: String, hubAddress: String, onEvent: @escaping @Sendable (Event) -> Void
  ) {
    self.recipe = recipe
    self.source = source
    self.options = options
    self.threads = threads
    self.toolVersion = toolVersion
    self.hubAddress = hubAddress
    self.onEvent = onEvent
  }

  /// Reads headers and finds every mistake that can be found without the weights.
  package func plan() async throws -> MergePlan {
    onEvent(.planning)
    let plan = try await Planner.plan(recipe, from: source, options: options)
    if let lock { try await BlockingWork.run { _ in try lock.check(plan) } }
    onEvent(.planned(plan))
    return plan
  }

  /// Brings the weights of a plan's models to this machine.
  package func fetchWeights(_ plan: MergePlan) async throws {
    let models = plan.stages.flatMap(\.plan.models) + plan.models
    for model in models where model.source.commit != nil {
      onEvent(.fetching(model: model.name))
      try await source.fetchWeights(of: model.source)
    }
  }

  /// Merges into a folder that appears when it is complete.
  ///
  /// - Parameters:
  ///   - repository: The id that the model will have, for its card.
  ///   - template: The card's; nil for no card.
  package func write(
    _ plan: MergePlan, to target: FilePath, replacing: Bool, repository: String?,
    template: CardTemplate?
  ) async throws -> Result {
    let facts = facts(plan, target: target, repository: repository)
    let started = ContinuousClock.now
    try await withTaskCancellationHandler {
      try await BlockingWork.run { cancellation in
        try MergedModel(plan, target: target, replacing: replacing).write(
          threads: threads, toolVersion: toolVersion, lock: lockDraft(plan),
          card: template.map { template in { try template.render(facts.proved(by: $0)) } },
          isCancelled: { cancellation.isCancelled },
          onEvent: { onEvent(.merging($0)) })
      }
    } onCancel: {
      // Threads may be waiting for bytes that are on their way.
      source.stream?.close()
    }
    return Result(
      folder: target, seconds: (ContinuousClock.now - started).seconds,
      bytesRead: plan.inputBytes, bytesWritten: plan.layout.fileSize,
      bytesStreamed: source.stream?.statistics.fetched)
  }

  /// What the lock of the result begins with; nil for none.
  func lockDraft(_ plan: MergePlan) throws -> LockDraft? {
    guard writesLock || lock != nil else { return nil }
    return LockDraft(options: options, sources: try plan.lockedSources(), expected: lock)
  }

  /// What the card says.
  package func facts(_ plan: MergePlan, target: FilePath, repository: String?) -> CardFacts {
    let title =
      repository.flatMap { $0.split(separator: "/").last.map(String.init) }
      ?? target.lastComponent?.string ?? "Merged model"
    return CardFacts(
      plan, title: title, repository: repository, endpoint: hubAddress, toolVersion: toolVersion)
  }
}

extension Duration {
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
