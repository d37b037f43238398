// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub
package import Merging
internal import Storage

/// A published model and its lock, held against one another without fetching the weights: a hub knows large files by
/// their SHA-256.
package struct PublishedLock: Sendable {
  package let commit: CommitID
  package let lock: MergeLock
  package let findings: [LockVerification.Finding]

  /// No file that is hashed here instead of by the hub is larger; weights are LFS files and are not.
  private static let limit = 64 << 20

  /// - Throws: `HubError`, `LockFault`; `NotLocked` if the repository has no lock.
  package init(of repository: Repository, _ revision: Revision) async throws {
    let commit = try await repository.commit(of: revision)
    let tree = try await repository.tree(commit)
    guard let entry = tree[MergeLock.fileName] else {
      throw NotLocked(place: repository.id.description)
    }
    let lock = try MergeLock(
      parsing: try await Self.bytes(of: entry, in: repository, commit))
    var findings: [LockVerification.Finding] = []
    for file in lock.files {
      guard let entry = tree[file.name] else {
        findings.append(.missing(file: file.name))
        continue
      }
      guard entry.size == file.size else {
        findings.append(.size(file: file.name, locked: file.size, found: entry.size))
        continue
      }
      guard try await !Self.matches(file, entry, in: repository, commit) else { continue }
      findings.append(.content(file: file.name))
    }
    let names = Set(lock.files.map(\.name))
    for entry in tree.files
    where entry.path.hasSuffix(".safetensors") && !names.contains(entry.path) {
      findings.append(.extraFile(entry.path))
    }
    self.commit = commit
    self.lock = lock
    self.findings = findings
  }

  private static func matches(
    _ file: MergeLock.File, _ entry: TreeEntry, in repository: Repository, _ commit: CommitID
  ) async throws -> Bool {
    guard case .sha256(let digest) = file.digest else { return false }
    if let id = entry.lfsID { return id == digest.hex }
    return try await Digest.sha256(bytes(of: entry, in: repository, commit)) == digest
  }

  private static func bytes(
    of entry: TreeEntry, in repository: Repository, _ commit: CommitID
  ) async throws -> [UInt8] {
    guard entry.size > 0 else { return [] }
    guard entry.size <= limit else {
      throw LockFault.malformed("\(entry.path) has \(entry.size) bytes")
    }
    return try await repository.bytes(of: entry.path, 0..<entry.size, at: commit)
  }
}

/// There is no lock to hold a model against.
package struct NotLocked: Error, Hashable, Sendable {
  /// A folder, or the id of a repository.
  package let place: String
  package init(place: String) { self.place = place }
}
