// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import Hub
package import Merging
internal import Storage
internal import Synchronization
internal import SystemPackage
internal import Weights

/// Models that are folders on this machine, or repositories of a hub that come through the cache.
///
/// Planning reads configurations, tokenizers and the headers of shards, the latter by byte ranges: a recipe can be
/// checked in seconds, before gigabytes are fetched. With a stream, weights stay where they are: what a plan needs
/// of them is read over the network when it is needed, and never as a whole on this machine.
package struct HubModelSource: ModelSource {
  package let hub: HubClient
  package let cache: HubCache
  /// What reads weights off the hub; nil to fetch them into the cache first.
  package let stream: RangeReader?
  /// The commits that models and adapters are read at, whatever their revisions are now; by the recipe's names.
  package let commits: [String: String]
  private let folders = FolderSource()

  package init(
    hub: HubClient, cache: HubCache, stream: RangeReader? = nil, commits: [String: String] = [:]
  ) {
    self.hub = hub
    self.cache = cache
    self.stream = stream
    self.commits = commits
  }

  package func model(_ reference: ModelReference) async throws -> SourceModel {
    let model: SourceModel
    if let local = try folders.baseModel(reference) {
      model = local
    } else {
      model = try await baseModel(reference)
    }
    guard let adapter = reference.adapter else { return model }
    if let folder = folders.folder(of: adapter) {
      return try model.adapted(by: Adapter(folder: folder))
    }
    guard let repository = try? hub.model(adapter.path),
      let revision = commits[adapter.description].map(Revision.init)
        ?? adapter.revision.map(Revision.init) ?? .main
    else { throw ModelSourceError.adapterNotFound(reference) }
    // Adapters are small: the file is fetched at once, not only its header.
    let snapshot = try await repository.fetch(revision, Self.adapterFiles, into: .cache(cache))
    return try model.adapted(
      by: Adapter(folder: snapshot.folder), hubID: repository.id.description,
      commit: snapshot.commit.hex)
  }

  /// A repository's model without the reference's adapter.
  private func baseModel(_ reference: ModelReference) async throws -> SourceModel {
    let repository = try repository(reference)
    let revision = try revision(reference)
    let small = try await repository.fetch(revision, Self.withoutWeights, into: .cache(cache))
    func source(_ checkpoint: Checkpoint) -> SourceModel {
      SourceModel(
        reference: reference, checkpoint: checkpoint, hubID: repository.id.description,
        commit: small.commit.hex)
    }
    if let whole = try? cache.snapshot(
      of: repository.id, small.commit.revision, selection: .forMerging)
    {
      return source(try Checkpoint(folder: whole.folder))
    }
    let tree = try await repository.tree(small.commit, knownIn: cache)
    let atRoot = tree.files.filter { !$0.path.contains("/") }
    let files = try WeightFiles(names: atRoot.map(\.path), in: small.folder) { name in
      try FileSystem.read(small.folder.appending(name))
    }
    if files.format == .torch {
      // Their headers are in pieces all over the file.
      let whole = try await repository.fetch(
        small.commit.revision, .forMerging, into: .cache(cache))
      return source(try Checkpoint(folder: whole.folder))
    }
    let shards = try files.shards.map { name in
      guard let file = tree[name] else {
        throw WeightsError.missingShard(small.folder, shard: name)
      }
      return file
    }
    var model = source(try await checkpoint(repository, small, shards, files.index))
    model.remote = try stream.map { try HubShards(repository, small.commit, shards, $0) }
    return model
  }

  package func fetchWeights(of model: SourceModel) async throws {
    guard model.remote == nil, let commit = model.commit.flatMap(CommitID.init) else { return }
    let repository = try repository(model.reference)
    _ = try await repository.fetch(commit.revision, .forMerging, into: .cache(cache))
  }

  /// A checkpoint from the headers alone.
  private func checkpoint(
    _ repository: Repository, _ small: Snapshot, _ shards: [TreeEntry], _ index: WeightIndex?
  ) async throws -> Checkpoint {
    var headers: [Int: SafetensorsHeader] = [:]
    try await withThrowingTaskGroup(of: (Int, SafetensorsHeader).self) { group in
      for (number, file) in shards.enumerated() {
        group.addTask { (number, try await header(repository, file, small)) }
      }
      for try await (number, found) in group { headers[number] = found }
    }
    let config = small.folder.appending("config.json")
    return try Checkpoint(
      folder: small.folder,
      config: FileSystem.exists(config) ? try ModelConfig(contentsOf: config) : nil,
      shards: shards.enumerated().compactMap { number, file in
        headers[number].map { (name: file.path, header: $0) }
      }, index: index)
  }

  private func header(_ repository: Repository, _ file: TreeEntry, _ snapshot: Snapshot)
    async throws -> SafetensorsHeader
  {
    let path = snapshot.folder.appending(file.path)
    do {
      // Most headers fit in the first request.
      let guess = min(file.size, 64 << 10)
      var bytes = try await repository.bytes(of: file.path, 0..<guess, at: snapshot.commit)
      let length = try SafetensorsHeader.length(prefix: bytes, fileSize: file.size)
      if bytes.count < 8 + length {
        bytes += try await repository.bytes(
          of: file.path, bytes.count..<8 + length, at: snapshot.commit)
      }
      return try SafetensorsHeader(text: Array(bytes[8..<8 + length]), fileSize: file.size)
    } catch let fault as SafetensorsFault {
      throw WeightsError.brokenSafetensors(path, fault)
    }
  }

  private func repository(_ reference: ModelReference) throws -> Repository {
    do throws(InvalidRepoID) { return try hub.model(reference.path) } catch {
      throw ModelSourceError.notFound(reference)
    }
  }

  private func revision(_ reference: ModelReference) throws -> Revision {
    guard let text = commits[reference.model] ?? reference.revision else { return .main }
    guard let revision = Revision(text) else { throw ModelSourceError.notFound(reference) }
    return revision
  }

  private static let adapterFiles: FileSelection = {
    var selection = FileSelection.forMerging
    selection.include = ["adapter_config.json", "adapter_model.*", "README.md"].map(
      GlobPattern.init)
    return selection
  }()

  private static let withoutWeights: FileSelection = {
    var selection = FileSelection.forMerging
    selection.exclude = ["*.safetensors", "*.bin", "*.pt", "*.pth", "*.ckpt"].map(GlobPattern.init)
    return selection
  }()
}
