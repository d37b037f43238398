// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import Storage
package import SystemPackage
package import Weights

/// The folder that a merge makes: shards, index, config.json, the donor's other files, the recipe and a card.
///
/// A target that is called `.safetensors` is a single file with all tensors, and nothing else.
package struct MergedModel: Sendable {
  package let plan: MergePlan
  package let target: FilePath
  /// Whether a folder that is in the way is replaced.
  package let replacing: Bool

  package init(_ plan: MergePlan, target: FilePath, replacing: Bool = false) {
    self.plan = plan
    self.target = target
    self.replacing = replacing
  }

  /// Whether a single file of weights is made instead of a folder.
  package static func isFile(_ target: FilePath) -> Bool { target.extension == "safetensors" }

  private var isFile: Bool { Self.isFile(target) }

  /// Runs the merge and makes the folder appear.
  ///
  /// Interrupted, it leaves no folder; shards that were finished are kept aside and the next run goes on after
  /// them.
  ///
  /// - Parameters:
  ///   - draft: What the lock begins with; nil for none.
  ///   - card: Text of README.md, made when all else is there; nil for none.
  ///   - isDigested: Whether the SHA-256 of each shard is computed while it is written, as it is for a lock.
  ///   - consumer: What is told of the shards.
  package func write(
    threads: Int, toolVersion: String, lock draft: LockDraft? = nil,
    card: ((MergeLock?) throws -> String)? = nil,
    isDigested: Bool = false, for consumer: (any ShardConsumer)? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    onEvent: @escaping @Sendable (MergeEvent) -> Void = { _ in }
  ) throws {
    func write(_ plan: MergePlan, _ target: FilePath, replacing: Bool, isLast: Bool) throws {
      try MergedModel(plan, target: target, replacing: replacing).write(
        threads: threads, toolVersion: toolVersion, lock: isLast ? draft : nil,
        card: isLast ? card : nil, isDigested: isLast && isDigested,
        for: isLast ? consumer : nil, isCancelled: isCancelled, onEvent: onEvent)
    }
    if !plan.stages.isEmpty {
      try withStages(toolVersion: toolVersion) {
        try write($0, $1, replacing: true, isLast: false)
      } then: {
        try write($0, target, replacing: replacing, isLast: true)
      }
      return
    }
    if isFile {
      if !replacing { try CheckpointWriter.checkFree(target) }
      let folder = hiddenSibling("file")
      try write(plan, folder, replacing: true, isLast: false)
      try takeFile(from: folder)
      return
    }
    let writer = try writer(toolVersion: toolVersion, isDigested: isDigested || draft != nil)
    do {
      try fill(
        writer, threads: threads, toolVersion: toolVersion, lock: draft, card: card, for: consumer,
        isCancelled: isCancelled, onEvent: onEvent)
      try writer.commit(indexMetadata: indexMetadata(toolVersion), check: plan.check)
    } catch {
      writer.abandon()
      throw error
    }
  }

  /// Puts the one shard of a finished folder at the target.
  private func takeFile(from folder: FilePath) throws {
    let shard = folder.appending(plan.layout.shards[0].name)
    if replacing {
      try FileSystem.rename(shard, to: target)
    } else {
      try FileSystem.renameNew(shard, to: target)
    }
    try FileSystem.remove(folder)
    try FileSystem.syncFolder(target.removingLastComponent())
  }

  /// Opens the folder in the making, or goes on with the one of an interrupted run.
  ///
  /// - Parameters: As those of `CheckpointWriter`.
  package func writer(toolVersion: String, isDigested: Bool = false, room: Int? = nil) throws
    -> CheckpointWriter
  {
    try CheckpointWriter(
      target: target, layout: plan.layout,
      fingerprint: plan.fingerprint(toolVersion: toolVersion).hex, replacing: replacing,
      isDigested: isDigested, room: room)
  }

  /// Runs the merge for somebody who takes the model away file by file: everything is written into the folder in
  /// the making, which stays there.
  ///
  /// - Parameters:
  ///   - writer: From `writer`, digesting if there is to be a lock.
  ///   - draft: What the lock begins with; nil for none.
  ///   - card: Text of README.md, made when all else is there; nil for none.
  ///   - consumer: What is told of the shards, and may remove those that are finished.
  package func fill(
    _ writer: CheckpointWriter, threads: Int, toolVersion: String, lock draft: LockDraft?,
    card: ((MergeLock?) throws -> String)?, for consumer: (any ShardConsumer)?,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    onEvent: @escaping @Sendable (MergeEvent) -> Void = { _ in }
  ) throws {
    guard plan.stages.isEmpty else {
      return try withStages(toolVersion: toolVersion) {
        try MergedModel($0, target: $1, replacing: true).write(
          threads: threads, toolVersion: toolVersion, isCancelled: isCancelled, onEvent: onEvent)
      } then: {
        try MergedModel($0, target: target, replacing: replacing).fill(
          writer, threads: threads, toolVersion: toolVersion, lock: draft, card: card,
          for: consumer, isCancelled: isCancelled, onEvent: onEvent)
      }
    }
    let tensors = draft.map { _ in ShardTensors(of: writer, threads: threads, next: consumer) }
    try MergeRun(plan, threads: threads, isCancelled: isCancelled, onEvent: onEvent)
      .fill(writer, for: tensors ?? consumer)
    try writeOtherFiles(writer)
    try writer.writeIndex(metadata: indexMetadata(toolVersion))
    let lock = try draft.map { draft in
      try draft.lock(
        plan, in: writer.staging, toolVersion: toolVersion, shards: writer.digests,
        tensors: writer.tensorDigests)
    }
    if let lock { try writer.write(lock.bytes, as: MergeLock.fileName) }
    if let card { try writer.write(Array(card(lock).utf8), as: "README.md") }
  }

  private func indexMetadata(_ toolVersion: String) -> [JSON.Member] {
    [.init("hubmerge_version", .string(toolVersion))]
  }

  private func writeOtherFiles(_ writer: CheckpointWriter) throws {
    if let config = plan.config { try writer.write(config.bytes, as: "config.json") }
    for file in plan.files { try writer.copy(file.source, as: file.name) }
    for file in plan.writtenFiles { try writer.write(file.bytes, as: file.name) }
    try writer.write(Array(plan.recipe.text.utf8), as: "mergekit_config.yml")
  }
}

extension MergePlan {
  /// What decides the bytes of the output: two runs with the same fingerprint write the same shards.
  package func fingerprint(toolVersion: String) throws -> Digest {
    let hasher = Digest.Hasher(.sha256)
    func add(_ text: String) { hasher.update(Array((text + "\n").utf8)) }
    add(toolVersion)
    add(recipe.text)
    add("seed \(seed)")
    for model in models {
      add(model.name + " " + (model.source.commit ?? "-"))
      for shard in model.checkpoint.shards {
        // A commit's files never change, wherever they are read; an adapter is not part of it.
        let isPinned = model.source.commit != nil && shard.folder == nil
        let modified =
          isPinned ? 0 : try FileSystem.status(model.checkpoint.path(of: shard)).modified
        add("\(shard.name) \(shard.size) \(modified)")
      }
    }
    for update in steps.flatMap(\.inputs).compactMap(\.update) {
      let rounding = update.rounding?.rawValue ?? "-"
      add("\(update.products.map(\.scale)) \(update.rows?.indices ?? []) \(rounding)")
    }
    for view in steps.flatMap(\.inputs).compactMap(\.view) { add("\(view.map.segments)") }
    for shard in layout.shards { hasher.update(shard.header) }
    return hasher.finish()
  }
}
