// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage
package import Weights

/// What a model's folder is, held against its lock.
package struct LockVerification: Sendable {
  package enum Finding: Hashable, Sendable {
    case missing(file: String)
    /// The file has another length.
    case size(file: String, locked: Int, found: Int)
    /// A file that is no shard, or a shard in a place that belongs to no tensor.
    case content(file: String)
    case missingTensor(TensorName)
    /// The tensor's bytes are others.
    case tensor(TensorName, file: String)
    /// A file of weights that is not in the lock.
    case extraFile(String)
  }

  package let findings: [Finding]
  /// What was looked at.
  package let fileCount: Int
  package let tensorCount: Int
  package let byteCount: Int

  package var isSound: Bool { findings.isEmpty }

  /// Reads every file of the lock; of weights that are not what they were, the tensors are named.
  ///
  /// Blocks while it reads.
  ///
  /// - Parameters:
  ///   - isCancelled: Asked between pieces.
  ///   - onProgress: Told the bytes of each piece.
  package init(
    of folder: FilePath, _ lock: MergeLock, threads: Int,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    onProgress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    let observe: @Sendable (Int) throws -> Void = { count in
      if isCancelled() { throw MergeError.cancelled }
      onProgress(count)
    }
    // One piece of work for each file, the large ones first.
    let files = lock.files.sorted { ($1.size, $0.name) < ($0.size, $1.name) }
    let checked = Monitor<(next: Int, findings: [String: [Finding]], failure: (any Error)?)>(
      (0, [:], nil))
    let checkpoint = try? Checkpoint(folder: folder)
    let digests = Dictionary(
      lock.tensors.map { ($0.name, $0.digest) }, uniquingKeysWith: { first, _ in first })
    WorkerThreads.run(max(1, threads)) {
      while true {
        let file = checked.update { state -> MergeLock.File? in
          guard state.failure == nil, state.next < files.count else { return nil }
          defer { state.next += 1 }
          return files[state.next]
        }
        guard let file else { return }
        do {
          let found = try Self.findings(file, in: folder, checkpoint, digests, observe)
          checked.update { $0.findings[file.name] = found }
        } catch {
          checked.update { if $0.failure == nil { $0.failure = error } }
        }
      }
    }
    let state = checked.update { $0 }
    if let failure = state.failure { throw failure }
    var findings = lock.files.flatMap { state.findings[$0.name] ?? [] }
    let names = Set(lock.files.map(\.name))
    for shard in checkpoint?.shards ?? [] where !names.contains(shard.name) {
      findings.append(.extraFile(shard.name))
    }
    if let checkpoint {
      for name in digests.keys.sorted() where checkpoint.tensors[name] == nil {
        findings.append(.missingTensor(name))
      }
    }
    self.findings = findings
    fileCount = lock.files.count
    tensorCount = lock.tensors.count
    byteCount = lock.files.reduce(0) { $0 + $1.size }
  }

  private static func findings(
    _ file: MergeLock.File, in folder: FilePath, _ checkpoint: Checkpoint?,
    _ digests: [TensorName: FastDigest], _ observe: (Int) throws -> Void
  ) throws -> [Finding] {
    let path = folder.pushing(FilePath(file.name))
    guard FileSystem.kind(path) == .file else { return [.missing(file: file.name)] }
    let size = try FileSystem.size(path)
    guard size == file.size else {
      return [.size(file: file.name, locked: file.size, found: size)]
    }
    if try file.digest.matches(path, observe: observe) { return [] }
    // Which part of it is it?
    guard let checkpoint,
      let shard = checkpoint.shards.firstIndex(where: { $0.name == file.name })
    else { return [.content(file: file.name)] }
    let content = try File(path, .read)
    let changed = try checkpoint.names.filter { name in
      guard let tensor = checkpoint.tensors[name], tensor.shard == shard, let locked = digests[name]
      else { return false }
      return try FastDigest(of: content, tensor.range, observe: { _ in }) != locked
    }
    return changed.isEmpty
      ? [.content(file: file.name)] : changed.map { .tensor($0, file: file.name) }
  }
}
