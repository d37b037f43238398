// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
package import Merging
internal import Storage
package import SystemPackage
internal import Weights

/// Fetch, merge, card and push as one job that can be broken off and run again.
///
/// Each shard is sent as soon as it is done, while the next ones are merged; one commit at the end makes
/// everything visible. The work is kept in a folder of its own below `workspace` until then: run again, a release
/// goes on with the first shard that is not finished.
package struct Release: Sendable {
  /// What a release may take of this machine.
  package struct Limits: Sendable {
    /// Whether models are read over the network where they are needed, and shards removed when the hub has them.
    package var isStreaming = false
    /// Bytes of disk that may be taken when streaming; nil for what is free.
    package var disk: Int?
    /// Bytes of memory that the merge may take; nil for as much as all threads want.
    package var memory: Int?

    package init() {}

    /// Bytes of memory for what is read ahead when streaming.
    package var readAhead: Int { min(256 << 20, (memory ?? .max) / 4) }

    /// Bytes of disk for what is read twice and does not fit in memory; the rest is for shards.
    package func spool(at folder: FilePath) -> Int { total(at: folder) / 8 }

    func shards(at folder: FilePath) -> Int { total(at: folder) - spool(at: folder) }

    private func total(at folder: FilePath) -> Int {
      let free = FileSystem.freeSpace(at: folder).map { $0 / 10 * 9 } ?? .max
      return min(disk ?? .max, free)
    }
  }

  package struct Result: Sendable {
    package let plan: MergePlan
    /// Nil if all shards were there from an earlier run.
    package let build: ModelBuild.Result?
    package let publication: Publication.Result
  }

  package let build: ModelBuild
  package let publication: Publication
  /// Where work in progress is kept between runs.
  package let workspace: FilePath
  package let template: CardTemplate
  package let limits: Limits

  package init(
    build: ModelBuild, publication: Publication, workspace: FilePath, template: CardTemplate,
    limits: Limits = Limits()
  ) {
    self.build = build
    self.publication = publication
    self.workspace = workspace
    self.template = template
    self.limits = limits
  }

  private var repository: Repository { publication.repository }

  package func run() async throws -> Result {
    let folder = folder
    try FileSystem.createFolder(folder)
    guard let lock = try FileLock.tryLock(folder.appending("lock")) else {
      throw ReleaseError.inProgress(folder: folder)
    }
    defer { withExtendedLifetime(lock) {} }
    let clock = PhaseClock()
    let plan = try await clock.measure("plan") { try await build.plan() }
    let means = try means(for: plan)
    let ground = try await clock.measure("check") {
      try await repository.checkCard(card(of: plan))
      return try await publication.prepare()
    }
    // What is streamed is not fetched.
    try await clock.measure("fetch") { try await build.fetchWeights(plan) }
    var hasLost = false
    while true {
      do {
        let result = try await publish(plan, means, on: ground, clock)
        try FileSystem.remove(folder)
        return result
      } catch let error as HubError {
        // Shards that are not here any more, and that the hub has lost: they have to be merged again.
        guard case .objectsMissing = error.kind, !hasLost else { throw error }
        hasLost = true
      }
    }
  }

  // MARK: Before

  var folder: FilePath {
    workspace.appending("\(repository.id.namespace ?? "")--\(repository.id.name)")
  }

  /// The card; before the merge, when there is no lock yet, it differs in what the lock proves.
  func card(of plan: MergePlan, provedBy lock: MergeLock? = nil) throws -> String {
    let id = repository.id
    let facts = build.facts(plan, target: FilePath(id.name), repository: id.description)
    return try template.render(facts.proved(by: lock))
  }

  /// What a plan takes of this machine.
  struct Means: Sendable {
    /// Bytes of shards on the disk at once; nil if all of them stay.
    let room: Int?
    let threads: Int
  }

  /// - Throws: `ReleaseError` if the limits are too narrow for the plan.
  func means(for plan: MergePlan) throws -> Means {
    var threads = build.threads
    if let memory = limits.memory {
      while threads > 1, self.memory(plan, threads) > memory { threads -= 1 }
      let needed = self.memory(plan, threads)
      guard needed <= memory else {
        throw ReleaseError.memoryTooSmall(needed: needed, limit: memory)
      }
    }
    guard limits.isStreaming else { return Means(room: nil, threads: threads) }
    let room = limits.shards(at: folder)
    if let largest = plan.layout.shards.max(by: { $0.size < $1.size }), largest.size > room {
      throw ReleaseError.shardTooLarge(name: largest.name, size: largest.size, room: room)
    }
    return Means(room: room, threads: threads)
  }

  func memory(_ plan: MergePlan, _ threads: Int) -> Int {
    plan.estimatedMemory(threads: threads) + (limits.isStreaming ? limits.readAhead : 0)
  }

  // MARK: Merging and sending

  private func publish(
    _ plan: MergePlan, _ means: Means, on ground: Publication.Ground,
    _ clock: PhaseClock
  ) async throws -> Result {
    let model = MergedModel(plan, target: folder.appending("model"), replacing: true)
    let writer = try model.writer(
      toolVersion: build.toolVersion, isDigested: true, room: means.room)
    var stagings = [try await stageDiscarded(writer, on: ground)]
    let remaining = plan.layout.shards.indices.filter { !writer.resumedShards.contains($0) }
    let discard: @Sendable (FinishedShard) throws -> Void = { try writer.discard($0) }
    let uploads = ShardUploads(
      to: repository, at: ground.base, missing: remaining.map { plan.layout.shards[$0].name },
      room: means.room, clock: clock,
      discard: limits.isStreaming ? discard : nil)
    let started = ContinuousClock.now
    stagings += try await withThrowingTaskGroup(of: [Staging].self) { group in
      group.addTask { try await uploads.run() }
      group.addTask {
        try await clock.measure("merge") {
          try await withTaskCancellationHandler {
            try await BlockingWork.run { cancellation in
              try model.fill(
                writer, threads: means.threads, toolVersion: build.toolVersion,
                lock: build.lockDraft(plan), card: { try card(of: plan, provedBy: $0) },
                for: uploads, isCancelled: { cancellation.isCancelled },
                onEvent: { build.onEvent(.merging($0)) })
            }
          } onCancel: {
            // Threads may be waiting for bytes that are on their way.
            build.source.stream?.close()
          }
        }
        uploads.finish()
        return []
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let seconds = (ContinuousClock.now - started).seconds
    var staging = stagings[0]
    for other in stagings.dropFirst() { staging.add(other) }
    staging.add(try await clock.measure("upload") { try await stageOthers(writer, on: ground) })
    try await publication.check(staging, on: ground)
    let published = try await publication.conclude(staging, on: ground, clock)
    let made = ModelBuild.Result(
      folder: writer.staging, seconds: seconds, bytesRead: plan.inputBytes,
      bytesWritten: plan.layout.fileSize,
      bytesStreamed: build.source.stream?.statistics.fetched)
    return Result(plan: plan, build: remaining.isEmpty ? nil : made, publication: published)
  }

  /// The shards that an earlier run has sent and removed. Those that the hub has lost are to be merged again.
  private func stageDiscarded(_ writer: CheckpointWriter, on ground: Publication.Ground)
    async throws -> Staging
  {
    let discarded = writer.discardedShards
    let objects = discarded.compactMap { shard in
      shard.digest.map { (path: shard.name, LFSPointer(digest: $0, size: shard.size)) }
    }
    let (staging, lost) = try await repository.compare(objects, at: ground.base)
    for shard in discarded where shard.digest.map(lost.contains) ?? true {
      try writer.restart(shard)
    }
    return staging
  }

  /// Everything but the shards.
  private func stageOthers(_ writer: CheckpointWriter, on ground: Publication.Ground) async throws
    -> Staging
  {
    let shards = Set(writer.layout.shards.map(\.name))
    let files = try UploadFile.files(in: writer.staging).filter {
      !shards.contains($0.path) && !writer.isOwn($0.path)
    }
    let examined = try await repository.examine(files, at: ground.base)
    return try await repository.send(examined, at: ground.base)
  }
}
