// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import Weights

/// What merge, plan, card and release share: the recipe, the hub behind it, and the progress of both.
struct MergeSetup {
  private let options: PlanOptions
  private let threads: Int
  private let writesLock: Bool
  /// The file of the lock to merge by.
  private let lock: String?
  private let card: CardOptions
  private let hub: HubOptions
  private let console: Console
  /// Whether merging and sending are one job with one progress.
  private var isRelease = false

  init(
    _ options: MergeOptions, _ hub: HubOptions, _ console: Console, isRelease: Bool = false
  ) {
    self.isRelease = isRelease
    self.options = options.planOptions
    threads = options.threadCount
    writesLock = options.writeLock ?? isRelease
    lock = options.lock
    card = options.card
    self.hub = hub
    self.console = console
    let inert = options.inert.given
    if !inert.isEmpty {
      console.note("\(inert.joined(separator: ", ")): accepted, but there is nothing to do for it")
    }
  }

  /// For the card of a merge that has been done already.
  init(_ card: CardOptions, _ hub: HubOptions, _ console: Console) {
    var options = PlanOptions()
    options.allowsMixedArchitectures = true
    self.options = options
    threads = 1
    writesLock = false
    lock = nil
    self.card = card
    self.hub = hub
    self.console = console
  }

  /// - Parameter stream: What reads models off the hub; nil to fetch them first.
  func build(_ recipe: String, stream: RangeReader? = nil) throws -> ModelBuild {
    guard FileSystem.kind(FilePath(recipe)) == .file else {
      throw UserError(
        status: .missingInput, what: "there is no recipe \(recipe)",
        advice: "hubmerge methods NAME shows one for each method")
    }
    return try build(
      Recipe(contentsOf: FilePath(recipe), keepsErrors: true),
      by: lock.map { try MergeLock(file: $0) }, stream: stream)
  }

  /// - Parameter lock: The lock that the merge has to agree with.
  private func build(_ recipe: Recipe, by lock: MergeLock?, stream: RangeReader?) throws
    -> ModelBuild
  {
    var build = try build(recipe, as: lock, stream: stream)
    build.writesLock = writesLock
    build.lock = lock
    return build
  }

  /// - Parameters:
  ///   - lock: Where options and commits are taken from; nil for those of the command line.
  ///   - stream: What reads models off the hub; nil to fetch them first.
  func build(_ recipe: Recipe, as lock: MergeLock?, stream: RangeReader? = nil) throws -> ModelBuild
  {
    ModelBuild(
      recipe: recipe,
      source: HubModelSource(
        hub: try client(), cache: hub.cache, stream: stream, commits: lock?.commits ?? [:]),
      options: lock?.pinnedOptions ?? options, threads: threads,
      toolVersion: Hubmerge.version, hubAddress: hub.address,
      onEvent: show)
  }

  func client() throws -> HubClient { try hub.client(console, observe: console.showTransfer) }

  /// Finds out before any work that the output may not be written.
  func checkTarget(_ target: FilePath, replacing: Bool) throws {
    if !replacing { try CheckpointWriter.checkFree(target) }
    try FileSystem.checkWritable(nearest: target)
  }

  func template() throws -> CardTemplate {
    if let builtin = try CardTemplate(builtin: card.template) { return builtin }
    let path = FilePath(card.template)
    guard FileSystem.kind(path) == .file else {
      throw UserError(
        status: .missingInput, what: "there is no template \(card.template)",
        advice: "name a file, or one of " + CardTemplate.builtinNames.joined(separator: ", "))
    }
    return try CardTemplate(
      String(decoding: FileSystem.read(path), as: UTF8.self), name: card.template)
  }

  private func show(_ event: ModelBuild.Event) {
    switch event {
    case .planning: console.progress.begin("plan", embraces: true)
    case .planned(let plan):
      console.progress.finish()
      console.show(plan.warnings, file: plan.recipe.file, text: plan.recipe.text)
    case .fetching: break
    case .merging(.started(let bytes, let shards, let resumed)):
      if resumed > 0 {
        console.note("going on with a merge that was interrupted")
      }
      console.progress.begin(
        isRelease ? "release" : "merge", total: bytes, done: resumed, embraces: isRelease)
      console.progress.detail(Quantity.plural(shards, "shard"))
    case .merging(.advanced(let bytes)): console.progress.advance(bytes)
    case .merging(.finishedShard(let name)): console.progress.detail(name)
    }
  }
}

extension Console {
  /// Shows what transfers from and to a hub tell.
  var showTransfer: HubObserver {
    { event in
      switch event {
      case .planned(let direction, let repository, let files, let bytes):
        progress.begin(
          direction == .download ? "fetch" : "push", of: "\(repository)", total: bytes)
        progress.detail(Quantity.plural(files, "file"))
      case .started(_, let file, _): progress.detail(file.path)
      case .advanced(_, _, let bytes): progress.advance(bytes)
      case .reused(_, _, let bytes): progress.grow(total: -bytes)
      case .hashed(let file, _): progress.detail("digest of \(file.path)")
      case .finished: break
      case .waiting(let reason, let seconds):
        note("waiting \(Quantity.duration(seconds)): \(Self.text(reason))")
      case .warning(let message): warn(message)
      }
    }
  }

  private static func text(_ reason: HubEvent.WaitReason) -> String {
    switch reason {
    case .rateLimit: "the hub's rate limit is used up"
    case .busy(let status): "the hub is busy (\(status))"
    case .noReply(let reason): reason
    case .lock(let path): "another process is fetching \(path)"
    }
  }
}
