// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// A snapshot inside the cache: symlinks to blobs where the file system has symlinks.
struct CachedSnapshot: SnapshotStore {
  let cache: HubCache
  let repository: RepoID
  let commit: CommitID

  var folder: FilePath { cache.snapshotFolder(of: repository, commit) }
  var trees: TreeCache { cache.trees(of: repository) }

  func lockPath(_ entry: TreeEntry) -> FilePath { cache.lockPath(entry.etag, of: repository) }

  func draft(_ entry: TreeEntry) -> FilePath {
    cache.folder(of: repository).appending("blobs").appending("\(entry.etag).hubmerge.partial")
  }

  func find(_ entry: TreeEntry) throws -> FilePath? {
    let place = folder.pushing(FilePath(entry.path))
    if holds(place, entry) { return place }
    let blob = cache.blob(entry.etag, of: repository)
    guard holds(blob, entry) else { return nil }
    try FileSystem.createFolder(place.removingLastComponent())
    if try cache.usesSymlinks() {
      try link(place, to: entry)
    } else {
      try FileSystem.copy(blob, to: place)
    }
    return place
  }

  func has(_ entry: TreeEntry) -> Bool {
    holds(folder.pushing(FilePath(entry.path)), entry)
      || holds(cache.blob(entry.etag, of: repository), entry)
  }

  func hasRoom(for entry: TreeEntry) -> Bool { has(entry) || FileSystem.exists(draft(entry)) }

  func adopt(_ draft: FilePath, as entry: TreeEntry) throws -> FilePath {
    let place = folder.pushing(FilePath(entry.path))
    try FileSystem.createFolder(place.removingLastComponent())
    if try cache.usesSymlinks() {
      try FileSystem.rename(draft, to: cache.blob(entry.etag, of: repository))
      try link(place, to: entry)
    } else {
      try FileSystem.rename(draft, to: place)
    }
    return place
  }

  private func holds(_ path: FilePath, _ entry: TreeEntry) -> Bool {
    FileSystem.kind(path) == .file && (try? FileSystem.size(path)) == entry.size
  }

  /// Makes the relative symlink under another name and renames it, so that no reader finds it missing.
  private func link(_ place: FilePath, to entry: TreeEntry) throws {
    let depth = entry.path.utf8.count { $0 == UInt8(ascii: "/") }
    let up = String(repeating: "../", count: depth + 2)
    let draft = FileSystem.temporarySibling(of: place)
    try FileSystem.createSymlink(draft, to: FilePath("\(up)blobs/\(entry.etag)"))
    do {
      try FileSystem.rename(draft, to: place)
    } catch {
      try? FileSystem.remove(draft)
      throw error
    }
  }
}
