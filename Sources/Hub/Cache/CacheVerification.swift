// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
package import SystemPackage

/// What a check of a cached repository has found.
package struct CacheVerification: Sendable {
  /// Something that is not as it should be.
  package enum Finding: Hashable, Sendable {
    /// A content that is not what its name says.
    case corrupt(FilePath, expected: Digest, actual: Digest)
    /// A link of a snapshot to a content that is gone.
    case dangling(FilePath)
    /// A file that the commit has and the snapshot has not, as after a fetch of some files only.
    case missing(CommitID, path: String)
  }

  package let repository: RepoID
  /// Contents whose digest is right.
  package var intact = 0
  /// Contents that were not read, because nothing has changed them since they were found intact.
  package var unchanged = 0
  /// Contents whose name is no digest, so that nothing can be said.
  package var unknown = 0
  package var bytes = 0
  package var findings: [Finding] = []

  /// Whether all that is here is right; a file that was never fetched is no damage.
  package var isIntact: Bool {
    findings.allSatisfy { if case .missing = $0 { true } else { false } }
  }
}

extension HubCache {
  /// Reads every content of a repository and compares its digest.
  ///
  /// - Parameters:
  ///   - onlyChanged: Whether to read only what has changed since it was last found intact.
  ///   - observe: Gets the events `hashed`, on the calling thread.
  /// - Throws: `StorageError`, `CancellationError`.
  package func verify(
    _ id: RepoID, onlyChanged: Bool = false, cancellation: Cancellation = Cancellation(),
    observe: HubObserver = { _ in }
  ) throws -> CacheVerification {
    var report = CacheVerification(repository: id)
    let journal = journal(of: id)
    let expected = expectedDigests(of: id)
    for path in try contentFiles(of: id) {
      // A link into the shared store may lead nowhere; its snapshot tells so below.
      guard FileSystem.kind(path) == .file else { continue }
      let name = path.lastComponent?.string ?? ""
      let isBlob = path.removingLastComponent().lastComponent == "blobs"
      guard let digest = isBlob ? Digest(hex: name) : expected[path] else {
        report.unknown += 1
        continue
      }
      let place = FileSystem.resolved(path) ?? path
      let status = try FileSystem.status(place)
      if onlyChanged, journal?.digest(of: place, status) == digest {
        report.unchanged += 1
        continue
      }
      let size = status.size
      let started = DigestJournal.now
      let file = HubEvent.RepositoryFile(repository: id, path: name)
      let actual = try Digest.ofFile(path, digest.hasher(size: size)) { count in
        try cancellation.check()
        observe(.hashed(file, bytes: count))
      }
      report.bytes += size
      // What is found now goes before what was found then.
      try? journal?.record(actual, of: place, status, started: started)
      if actual == digest {
        report.intact += 1
      } else {
        report.findings.append(.corrupt(path, expected: digest, actual: actual))
      }
    }
    report.findings += try gaps(of: id)
    return report
  }

  /// The digests of files that are in snapshots themselves, as the listings have them.
  private func expectedDigests(of id: RepoID) -> [FilePath: Digest] {
    var digests: [FilePath: Digest] = [:]
    for commit in commits(of: id) {
      let folder = snapshotFolder(of: id, commit)
      for entry in trees(of: id).tree(commit)?.files ?? [] {
        digests[folder.pushing(FilePath(entry.path))] = entry.digest
      }
    }
    return digests
  }

  /// Links without a content, and files of a commit that are not there.
  private func gaps(of id: RepoID) throws -> [CacheVerification.Finding] {
    try commits(of: id).flatMap { commit -> [CacheVerification.Finding] in
      let folder = snapshotFolder(of: id, commit)
      let dangling = try links(below: folder).filter { !FileSystem.exists($0) }
      let missing = (trees(of: id).tree(commit)?.files ?? []).filter {
        FileSystem.kindWithoutFollowing(folder.pushing(FilePath($0.path))) == nil
      }
      return dangling.map { .dangling($0) } + missing.map { .missing(commit, path: $0.path) }
    }
  }

  func commits(of id: RepoID) -> [CommitID] {
    ((try? Self.names(in: folder(of: id).appending("snapshots"))) ?? []).compactMap { CommitID($0) }
  }

  /// The symlinks below a folder, whether they lead somewhere or not.
  func links(below folder: FilePath) throws -> [FilePath] {
    try Self.names(in: folder).flatMap { name -> [FilePath] in
      let path = folder.appending(name)
      switch FileSystem.kindWithoutFollowing(path) {
      case .symlink: return [path]
      case .folder: return try links(below: path)
      default: return []
      }
    }
  }
}
