// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import Storage
internal import SystemPackage

/// What a hub of one's own begins with.
struct ServeImports: ParsableArguments {
  @Option(
    name: .customLong("import"),
    help: ArgumentHelp(
      "Make a repository of a folder first, or of what the cache has of it; may be repeated.",
      discussion: "Datasets are datasets/namespace/name.", valueName: "namespace/name[=folder]"))
  var wanted: [String] = []

  @Flag(help: "Make repositories of all models and datasets in the cache first.")
  var importCache = false

  @OptionGroup var location: Cache.Location

  /// A folder whose files become a repository's.
  struct Folder {
    let id: RepoID
    let path: FilePath
    /// Where its symlinks may lead to.
    let boundary: FilePath
  }

  func folders() throws -> [Folder] {
    let named = try wanted.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      let id = try RepoID(reference: parts[0])
      return parts.count == 2 ? try folder(FilePath(parts[1]), of: id) : try cached(id)
    }
    guard importCache else { return named }
    let all = try location.cache.repositories().filter { repository in
      repository.id.kind != .space && repository.id.namespace != nil && !repository.commits.isEmpty
    }
    return named + all.map(newest)
  }

  private func folder(_ path: FilePath, of id: RepoID) throws -> Folder {
    guard FileSystem.kind(path) == .folder else {
      throw UserError(
        status: .missingInput, what: "there is no folder \(path)",
        advice: "--import namespace/name, without a folder, takes what the cache has")
    }
    return Folder(id: id, path: path, boundary: path)
  }

  private func cached(_ id: RepoID) throws -> Folder {
    guard let found = try location.cache.repository(id), !found.commits.isEmpty else {
      throw UserError(
        status: .missingInput, what: "the cache has nothing of \(id)",
        why: "it is \(location.cache.root)",
        advice: "hubmerge fetch \(id), or --import \(id)=folder")
    }
    return newest(found)
  }

  /// What the branch main was when it was last asked for; else whatever there is. Links lead to
  /// elsewhere in the cache.
  private func newest(_ repository: CachedRepository) -> Folder {
    let commits = repository.commits
    let commit =
      commits.first { $0.revisions.contains { $0.text == "main" } } ?? commits[commits.count - 1]
    return Folder(
      id: repository.id,
      path: location.cache.snapshotFolder(of: repository.id, commit.commit),
      boundary: location.cache.root)
  }
}
