// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import Weights

/// What of a lock is known before the merge.
package struct LockDraft: Sendable {
  package let options: PlanOptions
  /// What was read; of a recipe of several stages what all of them have read.
  package let sources: [MergeLock.Source]
  /// The lock that the merge has to agree with; nil if there is none yet.
  package let expected: MergeLock?

  package init(options: PlanOptions, sources: [MergeLock.Source], expected: MergeLock? = nil) {
    self.options = options
    self.sources = sources
    self.expected = expected
  }

  /// Files that may change without the model being another one.
  static func isOutside(_ name: String) -> Bool {
    name.hasPrefix(".") || name == "README.md" || name == MergeLock.fileName
      || name.hasPrefix(MergePictures.folder + "/")
  }

  /// The lock of a merge whose files are all there, but for the card.
  ///
  /// - Parameters:
  ///   - folder: Where the files are.
  ///   - digests: SHA-256 of the shards by their numbers; some may be elsewhere by now.
  ///   - tensors: Digests of tensors by their numbers in the plan.
  /// - Throws: `LockFault.otherResult` if another lock was expected.
  func lock(
    _ plan: MergePlan, in folder: FilePath, toolVersion: String, shards digests: [Int: Digest],
    tensors: [Int: FastDigest]
  ) throws -> MergeLock {
    var files = try plan.layout.shards.enumerated().map { number, shard in
      let digest = try digests[number] ?? Digest.ofFile(folder.appending(shard.name))
      return MergeLock.File(name: shard.name, size: shard.size, digest: .sha256(digest))
    }
    let shards = Set(files.map(\.name))
    for name in try FileSystem.files(below: folder).map(\.string)
    where !Self.isOutside(name) && !shards.contains(name) {
      let path = folder.pushing(FilePath(name))
      files.append(
        MergeLock.File(
          name: name, size: try FileSystem.size(path), digest: .sha256(try Digest.ofFile(path))))
    }
    files.sort { $0.name < $1.name }
    let lock = MergeLock(
      toolVersion: toolVersion, recipe: .sha256(Array(plan.recipe.text.utf8)), options: options,
      seed: plan.seed, sources: sources, files: files,
      tensors: plan.steps.indices.compactMap { index in
        tensors[index].map { MergeLock.Tensor(name: plan.steps[index].output.name, digest: $0) }
      })
    if let expected { try lock.agree(with: expected) }
    return lock
  }
}

extension MergeLock {
  /// - Throws: `LockFault.otherResult` if a tensor, or a file that no version of the program is written in, differs.
  fileprivate func agree(with expected: MergeLock) throws {
    let locked = Dictionary(
      expected.tensors.map { ($0.name, $0.digest) }, uniquingKeysWith: { first, _ in first })
    var names = tensors.filter { locked[$0.name] != $0.digest }.map(\.name.text)
    names += Set(locked.keys).subtracting(tensors.map(\.name)).map(\.text).sorted()
    let index = "model.safetensors.index.json"
    for file in expected.files where file.name != index && !files.contains(file) {
      // A shard that differs has been told by its tensors.
      if !(file.name.hasSuffix(".safetensors") && !names.isEmpty) { names.append(file.name) }
    }
    guard names.isEmpty else { throw LockFault.otherResult(names: names) }
  }
}
