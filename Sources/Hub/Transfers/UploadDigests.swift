// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage

extension Repository {
  /// The digests that the Hub knows files by, in the files' order, a few computed at a time.
  ///
  /// - Parameters:
  ///   - journal: Digests from earlier runs; gets the new ones.
  ///   - algorithm: SHA-256 for a large file, SHA-1 (git's) for one that git keeps itself.
  func digests(
    of files: [UploadFile], journal: DigestJournal?, by algorithm: (UploadFile) -> Digest.Algorithm
  ) async throws -> [Digest] {
    let permits = Permits(4)
    let connection = connection
    return try await withThrowingTaskGroup(of: (Int, Digest).self) { group in
      var found = [Digest?](repeating: nil, count: files.count)
      for (index, file) in files.enumerated() {
        let algorithm = algorithm(file)
        if algorithm == .sha256, let known = file.knownDigest ?? journal?.digest(of: file) {
          found[index] = known
          continue
        }
        let name = HubEvent.RepositoryFile(repository: id, path: file.path)
        group.addTask {
          let digest = try await permits.withPermit {
            try await BlockingWork.run { cancellation in
              let started = DigestJournal.now
              let digest = try file.digest(algorithm) { count in
                try cancellation.check()
                connection.observe(.hashed(name, bytes: count))
              }
              try file.checkUnchanged()
              try journal?.record(digest, of: file, started: started)
              return digest
            }
          }
          return (index, digest)
        }
      }
      for try await (index, digest) in group { found[index] = digest }
      return found.compactMap { $0 }
    }
  }
}
