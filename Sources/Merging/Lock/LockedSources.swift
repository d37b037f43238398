// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import Weights

/// The files of a model, or of an adapter, that a merge reads.
struct SourceFiles {
  /// As the recipe names it, without its adapter.
  let model: String
  let hubID: String?
  let commit: String?
  /// By their names in the source.
  private(set) var paths: [String: FilePath]

  func locked() throws -> MergeLock.Source {
    MergeLock.Source(
      model: model, hubID: hubID, commit: commit,
      // Files that are read where they are, a range at a time, are known by the commit alone.
      files: try paths.filter { commit == nil || FileSystem.exists($0.value) }.sorted {
        $0.key < $1.key
      }.map { name, path in
        MergeLock.File(
          name: name, size: try FileSystem.size(path),
          digest: try ContentDigest(identifying: path))
      })
  }

  fileprivate mutating func add(_ other: SourceFiles) {
    paths.merge(other.paths) { first, _ in first }
  }
}

extension MergePlan {
  /// What this plan and its stages read, in the order of the models, a model's adapter after it.
  var sourceFiles: [SourceFiles] {
    var found: [SourceFiles] = []
    let results = Set(stages.map(\.name))
    for plan in stages.map(\.plan) + [self] {
      for files in plan.ownSourceFiles where !results.contains(files.model) {
        if let place = found.firstIndex(where: { $0.model == files.model }) {
          found[place].add(files)
        } else {
          found.append(files)
        }
      }
    }
    return found
  }

  /// The sources as a lock has them; those that are not known by digests are read.
  package func lockedSources() throws -> [MergeLock.Source] {
    try sourceFiles.map { try $0.locked() }
  }

  private var ownSourceFiles: [SourceFiles] {
    var shards = [Set<Int>](repeating: [], count: models.count)
    for step in steps {
      for input in step.inputs {
        for (model, tensor) in input.reads { shards[model].insert(tensor.shard) }
      }
    }
    return models.enumerated().flatMap { number, model in
      let source = model.source
      let checkpoint = source.checkpoint
      var own: [String: FilePath] = [:]
      var adapter: [String: FilePath] = [:]
      for index in shards[number] {
        let shard = checkpoint.shards[index]
        if shard.folder == nil {
          own[shard.name] = checkpoint.path(of: shard)
        } else {
          adapter[shard.name] = checkpoint.path(of: shard)
        }
      }
      let config = checkpoint.folder.appending("config.json")
      if checkpoint.config != nil, FileSystem.exists(config) { own["config.json"] = config }
      for file in files where file.source.removingLastComponent() == checkpoint.folder {
        own[file.name] = file.source
      }
      let reference = source.reference
      let model = SourceFiles(
        model: reference.model, hubID: source.hubID, commit: source.commit, paths: own)
      guard let found = source.adapter, let adapterName = reference.adapter?.description else {
        return [model]
      }
      adapter["adapter_config.json"] = found.folder.appending("adapter_config.json")
      return [
        model,
        SourceFiles(model: adapterName, hubID: found.hubID, commit: found.commit, paths: adapter),
      ]
    }
  }
}

extension MergeLock {
  /// Finds out whether a plan has the recipe and the sources that were locked; reads the files of those that are
  /// not known by a commit.
  ///
  /// - Throws: `LockFault` with the first difference.
  package func check(_ plan: MergePlan) throws {
    guard Digest.sha256(Array(plan.recipe.text.utf8)) == recipe else {
      throw LockFault.otherRecipe
    }
    let found = plan.sourceFiles
    let missing = Set(sources.map(\.model)).symmetricDifference(found.map(\.model))
    guard missing.isEmpty else { throw LockFault.otherSources(missing.sorted()) }
    for (model, source) in found.flatMap({ model in
      sources.filter { $0.model == model.model }.map { (model, $0) }
    }) {
      guard model.commit == source.commit else {
        throw LockFault.otherCommit(
          model: model.model, locked: source.commit ?? "none", found: model.commit)
      }
      // A commit says what all of its files are.
      if source.commit != nil { continue }
      guard Set(model.paths.keys) == Set(source.files.map(\.name)) else {
        let names = Set(model.paths.keys).symmetricDifference(source.files.map(\.name))
        throw LockFault.otherFile(model: model.model, name: names.sorted().first ?? "")
      }
      for file in source.files {
        guard let path = model.paths[file.name], try FileSystem.size(path) == file.size,
          try file.digest.matches(path)
        else { throw LockFault.otherFile(model: model.model, name: file.name) }
      }
    }
  }
}
