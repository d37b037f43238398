// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage
internal import Synchronization
internal import SystemPackage

/// A repository on disk: settings, refs, commits and trees.
///
/// A commit is on the disk, and all that it needs, before the ref that makes it visible is replaced;
/// so whatever stops the server, a ref leads to a whole commit.
final class StoredRepository: Sendable {
  let id: RepoID
  let folder: FilePath
  let refs: RefStore
  let blobs: BlobStore
  /// Held while refs, settings or discussions change.
  let changing = Mutex(())
  /// The numbers of parameters in weights that were asked for; nil for what is no safetensors file.
  let parameterMemory = Mutex<[Digest: [String: Int]?]>([:])

  init(_ id: RepoID, folder: FilePath, blobs: BlobStore) {
    self.id = id
    self.folder = folder
    self.blobs = blobs
    refs = RefStore(folder.appending("refs"))
  }

  // MARK: Settings

  var settings: RepositorySettings {
    get throws {
      let path = folder.appending("repository.json")
      guard let settings = RepositorySettings(stored: try JSON.parse(try FileSystem.read(path)))
      else { throw DamagedStore(path: path) }
      return settings
    }
  }

  func save(_ settings: RepositorySettings) throws {
    try FileSystem.write(
      settings.stored.serialized(.compact), to: folder.appending("repository.json"), durable: true)
  }

  // MARK: History

  /// The commit that a revision names.
  ///
  /// - Throws: `HubFailure` RevisionNotFound.
  func resolve(_ text: String) throws -> CommitID {
    guard let revision = Revision(text) else { throw HubFailure.revisionNotFound(text) }
    if let ref = refs.find(revision) { return ref.commit }
    if let commit = revision.commit, FileSystem.exists(path(of: commit)) { return commit }
    throw HubFailure.revisionNotFound(text)
  }

  func commit(_ id: CommitID) throws -> Commit {
    let path = path(of: id)
    guard let commit = Commit(stored: try JSON.parse(try FileSystem.read(path))) else {
      throw DamagedStore(path: path)
    }
    return commit
  }

  func tree(_ id: CommitID) throws -> Tree { try tree(try commit(id).tree) }

  func tree(_ oid: Digest) throws -> Tree {
    let path = path(ofTree: oid)
    guard let tree = Tree(stored: try JSON.parse(try FileSystem.read(path))) else {
      throw DamagedStore(path: path)
    }
    return tree
  }

  /// Whether a large file is part of what a ref leads to.
  func holds(_ pointer: LFSPointer) throws -> Bool {
    for kind in RefStore.Kind.allCases {
      for ref in try refs.all(kind) {
        if try tree(ref.commit).entries.contains(where: { $0.lfs == pointer }) { return true }
      }
    }
    return false
  }

  /// Stores a commit and its tree; no ref leads to it yet.
  func write(_ commit: Commit, _ tree: Tree) throws -> CommitID {
    guard let id = CommitID(GitObject.commit(commit).hex) else { throw DamagedStore(path: folder) }
    let treePath = path(ofTree: tree.oid)
    if !FileSystem.exists(treePath) {
      try FileSystem.write(tree.stored.serialized(.compact), to: treePath, durable: true)
    }
    try FileSystem.write(commit.stored.serialized(.compact), to: path(of: id), durable: true)
    return id
  }

  private func path(of commit: CommitID) -> FilePath {
    folder.appending("commits").appending(commit.hex)
  }

  private func path(ofTree oid: Digest) -> FilePath {
    folder.appending("trees").appending(oid.hex)
  }

  /// Makes the folders and the first commit of a new repository.
  func begin(_ settings: RepositorySettings, author: String) throws {
    for name in ["commits", "trees", "discussions"] {
      try FileSystem.createFolder(folder.appending(name))
    }
    try refs.create()
    try save(settings)
    let attributes = Array(GitAttributes.initial.utf8)
    _ = try blobs.store(attributes)
    let tree = Tree([TreeEntry(path: ".gitattributes", content: attributes)])
    let commit = Commit(
      tree: tree.oid, parents: [], title: "initial commit", description: "", author: author,
      date: .now)
    try refs.set(.branch, "main", to: try write(commit, tree))
  }
}

/// A file of the store that does not hold what it should.
struct DamagedStore: Error {
  let path: FilePath
}
