// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage
internal import SystemPackage

/// A plain folder that holds the files of one commit, with its notes in `.cache/huggingface`.
///
/// ```
/// <path>                                        the files themselves
/// .cache/huggingface/download/<path>.metadata   commit, etag, time of the download
/// .cache/huggingface/download/<path>.lock
/// .cache/huggingface/trees/<commit>.json
/// ```
struct LocalFolder: SnapshotStore {
  let folder: FilePath
  let repository: RepoID
  let commit: CommitID
  /// A cache whose blobs are copied rather than downloaded again.
  let cache: HubCache?

  private var notes: FilePath { folder.appending(".cache").appending("huggingface") }
  var trees: TreeCache { TreeCache(notes.appending("trees")) }

  private func note(_ entry: TreeEntry, _ suffix: String) -> FilePath {
    notes.appending("download").pushing(FilePath("\(entry.path).\(suffix)"))
  }

  func lockPath(_ entry: TreeEntry) -> FilePath { note(entry, "lock") }

  /// Named by a digest: a long name with an etag after it could be too long for the file system.
  func draft(_ entry: TreeEntry) -> FilePath {
    let name = Digest.gitBlob(Array(entry.path.utf8)).hex
    return notes.appending("download").appending(
      "\(name).\(entry.etag.prefix(64)).hubmerge.partial")
  }

  /// Prepares the folder for notes that are no part of the repository.
  func prepare() throws {
    try FileSystem.createFolder(notes)
    for (name, text) in [(".gitignore", "*"), ("CACHEDIR.TAG", HubCache.tagText)]
    where !FileSystem.exists(notes.appending(name)) {
      try FileSystem.write(text, to: notes.appending(name))
    }
  }

  func find(_ entry: TreeEntry) throws -> FilePath? {
    try checkName(entry)
    let place = folder.pushing(FilePath(entry.path))
    if FileSystem.kind(place) == .file, try FileSystem.size(place) == entry.size {
      if let note = try note(of: entry, at: place) {
        if note.etag == entry.etag {
          if note.commit != commit.hex { try writeNote(entry) }
          return place
        }
      } else if let digest = entry.digest, try digest.isOfFile(place) {
        try writeNote(entry)
        return place
      }
    }
    guard let blob = cache?.blob(entry.etag, of: repository), FileSystem.kind(blob) == .file,
      try FileSystem.size(blob) == entry.size
    else { return nil }
    try FileSystem.createFolder(place.removingLastComponent())
    try FileSystem.copy(blob, to: place)
    try writeNote(entry)
    return place
  }

  func has(_ entry: TreeEntry) -> Bool {
    let place = folder.pushing(FilePath(entry.path))
    if FileSystem.kind(place) == .file, (try? FileSystem.size(place)) == entry.size,
      let note = try? note(of: entry, at: place).map({ $0.etag == entry.etag }) ?? true, note
    {
      return true
    }
    guard let blob = cache?.blob(entry.etag, of: repository) else { return false }
    return FileSystem.kind(blob) == .file && (try? FileSystem.size(blob)) == entry.size
  }

  func hasRoom(for entry: TreeEntry) -> Bool {
    FileSystem.exists(folder.pushing(FilePath(entry.path))) || FileSystem.exists(draft(entry))
  }

  func adopt(_ draft: FilePath, as entry: TreeEntry) throws -> FilePath {
    try checkName(entry)
    let place = folder.pushing(FilePath(entry.path))
    try FileSystem.createFolder(place.removingLastComponent())
    try FileSystem.rename(draft, to: place)
    try writeNote(entry)
    return place
  }

  /// A repository must not write the notes about itself.
  private func checkName(_ entry: TreeEntry) throws {
    if entry.path.hasPrefix(".cache/huggingface/") { throw HubError(.unsafePath(entry.path)) }
  }

  /// What was noted about a file, unless the file has been changed since.
  private func note(of entry: TreeEntry, at place: FilePath) throws -> (
    commit: String, etag: String
  )? {
    guard let bytes = try? FileSystem.read(note(entry, "metadata")), bytes.count < 1024 else {
      return nil
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count == 3, let time = Double(lines[2]) else { return nil }
    let modified = Double(try FileSystem.status(place).modified) / 1e9
    return modified - 1 <= time ? (String(lines[0]), String(lines[1])) : nil
  }

  private func writeNote(_ entry: TreeEntry) throws {
    let path = note(entry, "metadata")
    try FileSystem.createFolder(path.removingLastComponent())
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let time = Double(now.tv_sec) + Double(now.tv_nsec / 1000) / 1e6
    try FileSystem.write("\(commit)\n\(entry.etag)\n\(time)\n", to: path)
  }
}

extension Digest {
  /// Whether a file's content has this digest: SHA-256, or git's SHA-1.
  func isOfFile(_ path: FilePath) throws -> Bool {
    try Digest.ofFile(path, hasher(size: FileSystem.size(path))) == self
  }

  /// A hasher that makes digests of this kind.
  func hasher(size: Int) -> Hasher {
    algorithm == .sha256 ? Hasher(.sha256) : .gitBlob(size: size)
  }
}
