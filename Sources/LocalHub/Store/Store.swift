// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage
internal import Synchronization
internal import SystemPackage

/// The folder that holds all repositories: `models/<namespace>/<name>`, `datasets/…`, `blobs/…`.
final class Store: Sendable {
  let blobs: BlobStore
  private let root: FilePath
  /// One server at a time works on a folder.
  private let lock: FileLock
  /// The repositories that were used since the start: one object each, because it holds the lock.
  private let opened = Mutex<[RepoID: StoredRepository]>([:])

  init(_ root: FilePath) throws {
    try FileSystem.createFolder(root)
    guard let lock = try FileLock.tryLock(root.appending("lock")) else {
      throw HubServer.Failure.folderInUse(root)
    }
    self.root = root
    self.lock = lock
    blobs = try BlobStore(root: root)
  }

  private func folder(of id: RepoID) -> FilePath? {
    guard let namespace = id.namespace, id.kind != .space else { return nil }
    return root.appending(id.kind.plural).appending(namespace).appending(id.name)
  }

  /// The repository, or nil.
  func repository(_ id: RepoID) -> StoredRepository? {
    opened.withLock { opened in
      if let repository = opened[id] { return repository }
      guard let folder = folder(of: id), FileSystem.kindWithoutFollowing(folder) == .folder else {
        return nil
      }
      let repository = StoredRepository(id, folder: folder, blobs: blobs)
      opened[id] = repository
      return repository
    }
  }

  /// A new repository with its first commit; nil if there is one of this name.
  ///
  /// It is built under another name, so that it appears whole or not at all.
  func create(_ id: RepoID, isPrivate: Bool, author: String) throws -> StoredRepository? {
    guard let folder = folder(of: id) else {
      throw HubFailure.badRequest("Invalid repo name: \(id)")
    }
    let draft = blobs.draft()
    try StoredRepository(id, folder: draft, blobs: blobs)
      .begin(RepositorySettings(isPrivate: isPrivate), author: author)
    defer { try? FileSystem.remove(draft) }
    return try opened.withLock { opened in
      guard FileSystem.kindWithoutFollowing(folder) == nil else { return nil }
      try place(draft, at: folder)
      try forget(redirect: id)
      let repository = StoredRepository(id, folder: folder, blobs: blobs)
      opened[id] = repository
      return repository
    }
  }

  /// Removes a repository; its blobs stay, because others may share them.
  func delete(_ id: RepoID) throws {
    guard let folder = folder(of: id) else { return }
    try opened.withLock { opened in
      opened[id] = nil
      let grave = blobs.draft()
      try FileSystem.rename(folder, to: grave)
      try FileSystem.syncFolder(folder.removingLastComponent())
      try FileSystem.remove(grave)
    }
  }

  /// Gives a repository another name; the old one leads to it from now on. False if the new name is
  /// taken.
  func move(_ id: RepoID, to target: RepoID) throws -> Bool {
    guard let folder = folder(of: id), let newFolder = self.folder(of: target) else { return false }
    return try opened.withLock { opened in
      guard FileSystem.kindWithoutFollowing(newFolder) == nil else { return false }
      opened[id] = nil
      try place(folder, at: newFolder)
      try FileSystem.syncFolder(folder.removingLastComponent())
      try forget(redirect: target)
      try save(redirects: redirects.setting(key(id), to: .string(target.description)))
      return true
    }
  }

  private func place(_ folder: FilePath, at target: FilePath) throws {
    let parent = target.removingLastComponent()
    try FileSystem.createFolder(parent)
    try FileSystem.renameNew(folder, to: target)
    try FileSystem.syncFolder(parent)
    try FileSystem.syncFolder(parent.removingLastComponent())
    try FileSystem.syncFolder(root)
  }

  /// All repositories of a kind, by name.
  func all(_ kind: RepoID.Kind) throws -> [StoredRepository] {
    let folder = root.appending(kind.plural)
    guard FileSystem.kindWithoutFollowing(folder) == .folder else { return [] }
    var found: [StoredRepository] = []
    for namespace in try FileSystem.names(in: folder) {
      guard FileSystem.kindWithoutFollowing(folder.appending(namespace)) == .folder else {
        continue
      }
      for name in try FileSystem.names(in: folder.appending(namespace)) {
        if let id = try? RepoID("\(namespace)/\(name)", kind: kind), let one = repository(id) {
          found.append(one)
        }
      }
    }
    return found
  }

  // MARK: Old names

  /// The present name of a repository that was moved; nil if it never had the name `id`.
  func present(_ id: RepoID) -> RepoID? {
    var seen: Set<RepoID> = [id]
    var current = id
    let redirects = redirects
    while let next = redirects[key(current)]?.string.flatMap({ try? RepoID($0, kind: id.kind) }) {
      // Moved away and back again: whoever comes round has no repository.
      guard seen.insert(next).inserted else { return nil }
      current = next
    }
    return current == id ? nil : current
  }

  private var redirects: JSON {
    guard let bytes = try? FileSystem.read(root.appending("moved.json")) else { return .object([]) }
    return (try? JSON.parse(bytes)) ?? .object([])
  }

  private func save(redirects: JSON) throws {
    try FileSystem.write(
      redirects.serialized(.compact), to: root.appending("moved.json"), durable: true)
  }

  private func forget(redirect id: RepoID) throws {
    let redirects = redirects
    if redirects[key(id)] != nil { try save(redirects: redirects.removing(key(id))) }
  }

  private func key(_ id: RepoID) -> String { "\(id.kind.plural)/\(id)" }
}
