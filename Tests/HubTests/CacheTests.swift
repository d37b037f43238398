// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import Testing

@testable import Hub

@Suite struct CacheTests {
  private let folder: TemporaryFolder
  private let id: RepoID
  private let commit = CommitID("1234567890123456789012345678901234567890")!
  private let entry = TreeEntry(
    path: "a/b/c.txt", size: 3, gitID: Digest.gitBlob(Array("abc".utf8)).hex, lfsID: nil,
    xetHash: nil)

  init() throws {
    folder = try TemporaryFolder()
    id = try RepoID("acme/one")
  }

  private var cache: HubCache { HubCache(folder.path) }

  private func adopt(into cache: HubCache) throws -> FilePath {
    let snapshot = CachedSnapshot(cache: cache, repository: id, commit: commit)
    let draft = snapshot.draft(entry)
    try FileSystem.createFolder(draft.removingLastComponent())
    try FileSystem.write("abc", to: draft)
    return try snapshot.adopt(draft, as: entry)
  }

  @Test func `a file is a relative link to its blob`() throws {
    let place = try adopt(into: cache)
    #expect(
      place
        == folder.path.pushing(FilePath("models--acme--one/snapshots/\(commit)/a/b/c.txt")))
    #expect(
      FileSystem.symlinkTarget(place)?.string == "../../../../blobs/\(entry.etag)")
    #expect(try FileSystem.read(place) == Array("abc".utf8))
    #expect(try FileSystem.names(in: place.removingLastComponent()) == ["c.txt"])
  }

  @Test func `without symlinks the file itself is in the snapshot`() throws {
    let cache = HubCache(folder.path, usesSymlinks: false)
    let place = try adopt(into: cache)
    #expect(FileSystem.kindWithoutFollowing(place) == .file)
    #expect(!FileSystem.exists(cache.blob(entry.etag, of: id)))
  }

  @Test func `a blob that is there is linked, also through the shared store`() throws {
    let shared = folder.path.pushing("blobs/ab/abcd")
    try FileSystem.createFolder(shared.removingLastComponent())
    try FileSystem.write("abc", to: shared)
    let blob = cache.blob(entry.etag, of: id)
    try FileSystem.createFolder(blob.removingLastComponent())
    try FileSystem.createSymlink(blob, to: "../../blobs/ab/abcd")
    let found = try CachedSnapshot(cache: cache, repository: id, commit: commit).find(entry)
    #expect(try FileSystem.read(try #require(found)) == Array("abc".utf8))
  }

  @Test func `a blob of the wrong length is not taken`() throws {
    let blob = cache.blob(entry.etag, of: id)
    try FileSystem.createFolder(blob.removingLastComponent())
    try FileSystem.write("ab", to: blob)
    #expect(try CachedSnapshot(cache: cache, repository: id, commit: commit).find(entry) == nil)
  }

  @Test func `a ref is the commit without a line end`() throws {
    try cache.remember(.pullRequest(1), is: commit, in: id)
    let path = folder.path.pushing("models--acme--one/refs/refs/pr/1")
    #expect(try FileSystem.read(path) == Array(commit.hex.utf8))
    #expect(cache.commit(of: .pullRequest(1), in: id) == commit)
    #expect(cache.commit(of: .main, in: id) == nil)
  }

  @Test func `a listing is written as Python writes it and read back`() throws {
    let large = TreeEntry(
      path: "Z.bin", size: 9, gitID: "aa", lfsID: Digest.sha256([1]).hex, xetHash: "ff")
    let tree = Tree(commit: commit, files: [entry, large])
    try cache.trees(of: id).keep(tree)
    let path = folder.path.pushing(FilePath("models--acme--one/trees/\(commit).json"))
    let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
    #expect(
      text == """
        {
         "files": {
          "Z.bin": {
           "blob_id": "aa",
           "lfs_sha256": "\(Digest.sha256([1]).hex)",
           "lfs_size": 9,
           "size": 9,
           "xet_hash": "ff"
          },
          "a/b/c.txt": {
           "blob_id": "\(entry.gitID)",
           "size": 3
          }
         },
         "format_version": 1
        }
        """)
    #expect(Set(cache.trees(of: id).tree(commit)?.files ?? []) == [entry, large])
  }

  @Test(arguments: [
    #"{"format_version":2,"files":{}}"#, #"{"format_version":1}"#, "[]", "",
    #"{"format_version":1,"files":{"../x":{"size":1,"blob_id":"aa"}}}"#,
    #"{"format_version":1,"files":{"x":{"size":-1,"blob_id":"aa"}}}"#,
  ])
  func `a listing that cannot be trusted is none`(_ text: String) throws {
    let folder = cache.trees(of: id).folder
    try FileSystem.createFolder(folder)
    try FileSystem.write(text, to: folder.appending("\(commit).json"))
    #expect(cache.trees(of: id).tree(commit) == nil)
  }

  @Test func `a snapshot that lacks files says which`() throws {
    _ = try adopt(into: cache)
    let other = TreeEntry(path: "w.bin", size: 1, gitID: "aa", lfsID: nil, xetHash: nil)
    try cache.trees(of: id).keep(Tree(commit: commit, files: [entry, other]))
    let error = #expect(throws: HubError.self) { try cache.snapshot(of: id, commit.revision) }
    #expect(error?.kind == .incompleteSnapshot(missing: ["w.bin"]))
    let selected = try cache.snapshot(
      of: id, commit.revision, selection: FileSelection(exclude: ["*.bin"]))
    #expect(selected.files.map(\.path) == ["a/b/c.txt"])
  }

  @Test func `what the hub said is absent stays absent`() throws {
    let marker = folder.path.pushing(FilePath("models--acme--one/.no_exist/\(commit)/x/y.json"))
    try FileSystem.createFolder(marker.removingLastComponent())
    try FileSystem.write("", to: marker)
    #expect(cache.file("x/y.json", of: id, at: commit) == .absent)
    #expect(cache.file("z.json", of: id, at: commit) == .unknown)
    #expect(cache.file("a/b/c.txt", of: id, at: commit) == .unknown)
    let place = try adopt(into: cache)
    #expect(cache.file("a/b/c.txt", of: id, at: commit) == .found(place))
  }
}
