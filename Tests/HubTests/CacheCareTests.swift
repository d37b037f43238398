// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import Testing

@testable import Hub

/// Listing, checking and cleaning of the cache.
@Suite struct CacheCareTests {
  private let folder: TemporaryFolder
  private let weights = noise(5000)

  init() throws { folder = try TemporaryFolder() }

  private var cache: HubCache { HubCache(folder.path) }
  private var id: RepoID { get throws { try RepoID("acme/one") } }

  @discardableResult
  private func fetch(_ cache: HubCache? = nil, only: [String] = []) async throws -> Snapshot {
    let hub = OneModelHub(["config.json": [1, 2], "w.bin": weights], large: ["w.bin"])
    return try await HubClient(.testing(hub.hub.origin)).model("acme/one")
      .fetch(.main, FileSelection(include: only), into: .cache(cache ?? self.cache))
  }

  /// A download that was broken off.
  private func breakOff() throws -> FilePath {
    let path = cache.blob(String(repeating: "a", count: 64), of: try id)
    let partial = FilePath("\(path)\(HubCache.partialSuffix)")
    let draft = try PartialFile(partial, size: 100_000)
    try draft.write([1, 2, 3].withUnsafeBytes { UnsafeRawBufferPointer($0) }, at: 0)
    try draft.record(0..<3)
    return partial
  }

  @Test func `the list tells commits, revisions, sizes and what is unfinished`() async throws {
    try await fetch(only: ["*.json"])
    _ = try breakOff()
    try FileSystem.createFolder(folder.path.pushing("blobs/ab"))
    let repositories = try cache.repositories()
    let repository = try #require(repositories.first)
    #expect(repositories.count == 1)
    #expect(repository.id == (try id))
    #expect(repository.bytes == 2)
    let commit = try #require(repository.commits.first)
    #expect(commit.commit.hex == OneModelHub.commit)
    #expect(commit.revisions == [.main])
    #expect((commit.files, commit.bytes) == (1, 2))
    #expect(commit.missing == 1)
    #expect(repository.partials.map(\.received) == [3])
    #expect(repository.partials.map(\.size) == [100_000])
    #expect(try HubCache(folder.path.appending("none")).repositories().isEmpty)
  }

  @Test func `what is sound is found sound, with and without links`() async throws {
    for usesSymlinks in [true, false] {
      let cache = HubCache(
        folder.path.appending("\(usesSymlinks)"), usesSymlinks: usesSymlinks)
      try await fetch(cache)
      let report = try cache.verify(id)
      #expect(report.isIntact && report.findings.isEmpty)
      #expect(report.intact == 2)
      #expect(report.bytes == weights.count + 2)
    }
  }

  @Test func `only what was found intact and has the same stamp is passed over`() async throws {
    let cache = HubCache(folder.path.appending("c"), journals: folder.path.appending("notes"))
    try await fetch(cache)
    let blob = cache.blob(Digest.sha256(weights).hex, of: try id)
    // Very young files are not trusted to show a change by their time.
    try age(blob, seconds: -100)
    #expect(try cache.verify(id).intact == 2)
    #expect(try cache.verify(id, onlyChanged: true).unchanged == 0)
    try age(blob, seconds: 10)
    #expect(try cache.verify(id).intact == 2)
    // Small files have no SHA-256, and are read every time.
    let second = try cache.verify(id, onlyChanged: true)
    #expect((second.unchanged, second.intact, second.bytes) == (1, 1, 2))
    #expect(try cache.verify(id).unchanged == 0)

    try File(blob, .update).write([UInt8(~weights[100])], at: 100)
    #expect(try !cache.verify(id, onlyChanged: true).isIntact)
    try File(blob, .update).write([weights[100]], at: 100)
    try age(blob, seconds: 5)
    #expect(try cache.verify(id, onlyChanged: true).unchanged == 0)
    #expect(try cache.verify(id, onlyChanged: true).unchanged == 1)
  }

  @Test func `damage is found`() async throws {
    let snapshot = try await fetch()
    let blob = cache.blob(Digest.sha256(weights).hex, of: try id)
    try File(blob, .update).write([UInt8(~weights[100])], at: 100)
    try FileSystem.remove(cache.blob(Digest.gitBlob([1, 2]).hex, of: id))
    let report = try cache.verify(id)
    #expect(!report.isIntact)
    guard case .corrupt(blob, expected: .sha256(weights), _) = report.findings.first else {
      Issue.record("\(report.findings)")
      return
    }
    #expect(report.findings.last == .dangling(snapshot.folder.appending("config.json")))
  }

  @Test func `what was never fetched is no damage`() async throws {
    let snapshot = try await fetch(only: ["*.json"])
    let report = try cache.verify(id)
    #expect(report.findings == [.missing(snapshot.commit, path: "w.bin")])
    #expect(report.isIntact)
  }

  @Test func `pruning takes our drafts and nothing else`() async throws {
    try await fetch()
    let partial = try breakOff()
    let other = partial.removingLastComponent().appending("abc.12345678.incomplete")
    try FileSystem.write("theirs", to: other)
    let before = try FileSystem.files(below: folder.path)
    #expect(try cache.prune(isRehearsal: true).paths == [partial, FilePath("\(partial).journal")])
    #expect(try FileSystem.files(below: folder.path) == before)
    let removal = try cache.prune()
    #expect(removal.bytes > 0)
    #expect(!FileSystem.exists(partial))
    #expect(FileSystem.exists(other))
    #expect(try FileSystem.files(below: folder.path).count == before.count - 2)
    #expect(try cache.prune().paths.isEmpty)
  }

  @Test func `pruning leaves a download alone that is running`() async throws {
    let partial = try breakOff()
    let lockPath = cache.lockPath(String(repeating: "a", count: 64), of: try id)
    try FileSystem.createFolder(lockPath.removingLastComponent())
    let lock = try #require(try FileLock.tryLock(lockPath))
    #expect(try cache.prune().busy == [partial, FilePath("\(partial).journal")])
    withExtendedLifetime(lock) {}
  }

  @Test func `a commit goes with what is its own only`() async throws {
    try await fetch()
    let other = try #require(CommitID(String(repeating: "b", count: 40)))
    // A second commit with the same configuration.
    let shared = TreeEntry(
      path: "config.json", size: 2, gitID: Digest.gitBlob([1, 2]).hex, lfsID: nil, xetHash: nil)
    _ = try CachedSnapshot(cache: cache, repository: id, commit: other).find(shared)
    let commit = try #require(CommitID(OneModelHub.commit))
    let plan = try cache.remove(commit, of: id, isRehearsal: true)
    #expect(FileSystem.exists(cache.snapshotFolder(of: try id, commit)))
    let removal = try cache.remove(commit, of: id)
    #expect(removal.paths == plan.paths)
    #expect(cache.commit(of: .main, in: try id) == nil)
    #expect(!FileSystem.exists(cache.blob(Digest.sha256(weights).hex, of: try id)))
    #expect(FileSystem.exists(cache.snapshotFolder(of: try id, other).appending("config.json")))
    #expect(throws: HubError.self) { try cache.remove(commit, of: id) }
  }
}
