// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import Storage
internal import Synchronization
package import SystemPackage

/// Writes a model folder so that it appears whole or not at all.
///
/// Everything goes into a hidden folder beside the target, which `commit` renames. Shards are laid out first and
/// filled in place, in any order and from any thread. A journal tells which shards are finished: if the work is
/// interrupted, a writer with the same fingerprint goes on after them.
package final class CheckpointWriter: Sendable {
  package enum Failure: Error, Sendable {
    /// Something is in the way and was not to be replaced.
    case targetExists(FilePath)
    /// Another process is writing this folder.
    case busy(FilePath)
    /// The model would not fit on the disk.
    case diskTooSmall(FilePath, needed: Int, free: Int)
  }

  package let target: FilePath
  package let staging: FilePath
  package let layout: ShardLayout
  /// The shards that are done; those of an earlier, interrupted run at first.
  package var resumedShards: Set<Int> { state.withLock { Set($0.journal.finished.keys) } }

  private let isDigested: Bool
  private let replaces: Bool
  private let lock: FileLock
  private let state: Mutex<State>

  private struct State {
    var files: [Int: ShardFile] = [:]
    var journal: ShardJournal
  }

  /// - Parameters:
  ///   - fingerprint: Tells whether the finished shards of an interrupted run are what this run would write.
  ///   - replacing: Whether a model folder at `target` is replaced by the new one when that is complete.
  ///   - isDigested: Whether the SHA-256 of each shard is computed while it is written.
  ///   - room: The most bytes of shards that are there at once, if finished ones are discarded; nil for all.
  package init(
    target: FilePath, layout: ShardLayout, fingerprint: String, replacing: Bool,
    isDigested: Bool = false, room: Int? = nil
  ) throws {
    let target = target.lexicallyNormalized()
    guard let name = target.lastComponent else { throw Failure.targetExists(target) }
    if !replacing { try Self.checkFree(target) }
    let parent = target.removingLastComponent()
    if !parent.isEmpty { try FileSystem.createFolder(parent) }
    let staging = parent.appending(".\(name.string).hubmerge")
    try FileSystem.createFolder(staging)
    guard let lock = try FileLock.tryLock(staging.appending(".lock")) else {
      throw Failure.busy(target)
    }

    var journal = ShardJournal(in: staging, fingerprint: fingerprint)
    journal.keep { (number, entry) in
      guard layout.shards.indices.contains(number) else { return false }
      let size = try? FileSystem.size(staging.appending(layout.shards[number].name))
      return entry.isDiscarded || size == layout.shards[number].size
    }
    var kept = Set(journal.present.map { layout.shards[$0].name })
    kept.insert(".lock")
    if !journal.finished.isEmpty {
      // Before a shard that the journal was wrong about can get its full size again.
      try journal.write()
      kept.insert(ShardJournal.name)
    }
    for name in try FileSystem.names(in: staging) where !kept.contains(name) {
      try FileSystem.remove(staging.appending(name))
    }
    let finished = Set(journal.finished.keys)
    let missing = layout.shards.indices.filter { !finished.contains($0) }
    let all = missing.reduce(0) { $0 + layout.shards[$1].size }
    let needed = min(all, room ?? all)
    if let free = FileSystem.freeSpace(at: staging), free < needed {
      if finished.isEmpty { try? FileSystem.remove(staging) }
      throw Failure.diskTooSmall(target, needed: needed, free: free)
    }

    self.target = target
    self.staging = staging
    self.layout = layout
    self.isDigested = isDigested
    self.lock = lock
    replaces = replacing
    state = Mutex(State(journal: journal))
  }

  /// Fails if there is something at `target` that a new model would overwrite.
  package static func checkFree(_ target: FilePath) throws {
    guard let kind = FileSystem.kindWithoutFollowing(target) else { return }
    let isEmpty = try kind == .folder && FileSystem.names(in: target).isEmpty
    guard isEmpty else { throw Failure.targetExists(target) }
  }

  /// The file of a shard, laid out and open for filling.
  package func file(shard number: Int) throws -> ShardFile {
    try state.withLock { state in
      if let file = state.files[number] { return file }
      let shard = layout.shards[number]
      let file = try ShardFile(
        File(staging.appending(shard.name), .createOrUpdate), shard, isDigested: isDigested)
      state.files[number] = file
      return file
    }
  }

  /// Puts a filled shard safely on the disk and notes that it is done.
  @discardableResult
  package func finish(shard number: Int) throws -> FinishedShard {
    let digest = try file(shard: number).finish()
    try state.withLock { state in
      state.files[number] = nil
      try state.journal.note(number, digest: digest)
    }
    return finished(number, digest)
  }

  /// The shards that are done, in their order, but those that were discarded.
  ///
  /// Those of an earlier run that has not digested them are read for that.
  package func finishedShards() throws -> [FinishedShard] {
    let entries = state.withLock { $0.journal.finished.filter { !$0.value.isDiscarded } }
    return try entries.sorted { $0.key < $1.key }.map { number, entry in
      let path = staging.appending(layout.shards[number].name)
      return finished(
        number, isDigested ? try entry.digest ?? Digest.ofFile(path) : entry.digest)
    }
  }

  private func finished(_ number: Int, _ digest: Digest?) -> FinishedShard {
    let shard = layout.shards[number]
    return FinishedShard(
      number: number, name: shard.name, path: staging.appending(shard.name), size: shard.size,
      digest: digest)
  }

  /// Removes a finished shard of which there is a copy elsewhere; the journal keeps that it was made.
  package func discard(_ shard: FinishedShard) throws {
    try state.withLock {
      try $0.journal.note(shard.number, digest: shard.digest, isDiscarded: true)
    }
    try FileSystem.remove(shard.path)
  }

  /// Keeps the digests of a finished shard's tensors, by their numbers in the layout: the shard may be removed.
  package func note(tensors: [Int: FastDigest], of shard: FinishedShard) throws {
    try state.withLock { try $0.journal.note(tensors: tensors, of: shard.number) }
  }

  /// The digests that were noted, of all shards that are done.
  package var tensorDigests: [Int: FastDigest] {
    state.withLock { state in
      state.journal.finished.values.reduce(into: [:]) { $0.merge($1.tensors) { $1 } }
    }
  }

  /// The finished shards that were removed because there is a copy elsewhere.
  package var discardedShards: [FinishedShard] {
    let entries = state.withLock { $0.journal.finished.filter(\.value.isDiscarded) }
    return entries.sorted { $0.key < $1.key }.map { finished($0, $1.digest) }
  }

  /// Forgets that a shard is done: the copy elsewhere is lost.
  package func restart(_ shard: FinishedShard) throws {
    try state.withLock { try $0.journal.forget(shard.number) }
  }

  /// Whether a file of the folder in the making is the writer's own and not the model's.
  package func isOwn(_ name: String) -> Bool { name == ShardJournal.name || name == ".lock" }

  /// The digests of all shards that are done, as far as they are known, with those that were discarded.
  package var digests: [Int: Digest] {
    state.withLock { $0.journal.finished.compactMapValues(\.digest) }
  }

  /// Writes a file of the model other than a shard.
  package func write(_ bytes: [UInt8], as name: String) throws {
    try place(name) { try FileSystem.write(bytes, to: $0) }
  }

  /// Copies a file into the model.
  package func copy(_ source: FilePath, as name: String) throws {
    try place(name) { try FileSystem.copy(source, to: $0) }
  }

  /// Writes the file that tells which shard a tensor is in; nothing if there is only one shard.
  package func writeIndex(metadata: [JSON.Member] = []) throws {
    guard let index = layout.index(metadata: metadata) else { return }
    try write(
      Array((index.serialized(.pretty(indent: 2)) + "\n").utf8), as: "model.safetensors.index.json")
  }

  private func place(_ name: String, _ body: (FilePath) throws -> Void) throws {
    let path = staging.appending(name)
    try FileSystem.createFolder(path.removingLastComponent())
    try body(path)
  }

  /// Makes the folder appear at its place.
  ///
  /// - Parameter check: Looks at the complete folder before it is moved there.
  package func commit(
    indexMetadata: [JSON.Member] = [], check: (FilePath) throws -> Void = { _ in }
  ) throws {
    try writeIndex(metadata: indexMetadata)
    try check(staging)
    try FileSystem.syncFolder(staging)
    if replaces, FileSystem.exists(target) {
      let old = FileSystem.temporarySibling(of: target)
      try FileSystem.rename(target, to: old)
      try FileSystem.renameNew(staging, to: target)
      try FileSystem.remove(old)
    } else {
      if FileSystem.kind(target) == .folder { try FileSystem.removeEmptyFolder(target) }
      try FileSystem.renameNew(staging, to: target)
    }
    // Last, so that no other process takes the folder for unfinished work before it is at its place.
    try FileSystem.remove(target.appending(ShardJournal.name))
    try FileSystem.remove(target.appending(".lock"))
    try FileSystem.syncFolder(target.removingLastComponent())
  }

  /// Removes what was written, unless finished shards are worth going on from.
  ///
  /// - Returns: How many shards were kept.
  @discardableResult
  package func abandon() -> Int {
    let finished = state.withLock { state in
      state.files = [:]
      return state.journal.finished
    }
    guard finished.isEmpty else { return finished.count }
    try? FileSystem.remove(staging)
    return 0
  }
}
