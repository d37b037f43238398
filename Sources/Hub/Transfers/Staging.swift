// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// A file that is ready to be named by a commit.
package struct StagedFile: Sendable {
  package enum Content: Sendable {
    /// In the store already; the file itself is not needed any more.
    case large(LFSPointer)
    /// Sent inside the commit; `digest` is git's SHA-1 of it.
    case regular(UploadFile, digest: Digest)
  }

  package let path: String
  package let content: Content

  package init(path: String, content: Content) {
    self.path = path
    self.content = content
  }

  /// What the Hub knows the content by.
  package var digest: Digest {
    switch content {
    case .large(let pointer): pointer.digest
    case .regular(_, let digest): digest
    }
  }
}

/// What has become of files that were staged.
package struct Staging: Sendable {
  /// What a commit has to name.
  package var changed: [StagedFile] = []
  /// Files that the revision holds already.
  package var unchanged: [String] = []
  /// Files that the repository's `.gitignore` names.
  package var ignored: [String] = []
  /// Bytes of large files sent; what the store had is not among them.
  package var bytesSent = 0

  package init() {}

  /// Adds what another call has staged for the same commit.
  package mutating func add(_ other: Staging) {
    changed += other.changed
    unchanged += other.unchanged
    ignored += other.ignored
    bytesSent += other.bytesSent
  }
}

extension Repository {
  /// Makes files ready for a commit: asks how the Hub keeps them, leaves out what it has, and brings the
  /// large ones into its store.
  ///
  /// The Hub drops objects that no commit names after about a day.
  package func stage(_ files: [UploadFile], at revision: Revision = .main) async throws -> Staging {
    let modes = try await uploadModes(for: files, at: revision)
    var staging = Staging()
    var candidates: [UploadFile] = []
    for file in files {
      if modes[file.path]?.isIgnored == true {
        staging.ignored.append(file.path)
      } else {
        candidates.append(file)
      }
    }
    let digests = try await digests(of: candidates) { file in
      // The store takes no empty objects.
      modes[file.path]?.storage == .lfs && file.size > 0 ? .sha256 : .sha1
    }
    var uploads: [LFSUpload] = []
    for (file, digest) in zip(candidates, digests) {
      if modes[file.path]?.presentID == digest.hex {
        staging.unchanged.append(file.path)
      } else if digest.algorithm == .sha256 {
        let pointer = LFSPointer(digest: digest, size: file.size)
        uploads.append(
          LFSUpload(repository: self, revision: revision, file: file, pointer: pointer))
        staging.changed.append(StagedFile(path: file.path, content: .large(pointer)))
      } else {
        staging.changed.append(
          StagedFile(path: file.path, content: .regular(file, digest: digest)))
      }
    }
    staging.bytesSent = try await store(uploads, at: revision)
    return staging
  }

  /// Brings large files into the store; the bytes sent.
  private func store(_ uploads: [LFSUpload], at revision: Revision) async throws -> Int {
    // One content at two paths is one object.
    var seen: Set<Digest> = []
    let objects = uploads.filter { seen.insert($0.pointer.digest).inserted }
    connection.observe(
      .planned(
        .upload, id, files: objects.count, bytes: objects.reduce(0) { $0 + $1.pointer.size }))
    var sent = 0
    for start in stride(from: 0, to: objects.count, by: Self.lfsGroupSize) {
      let group = objects[start..<min(start + Self.lfsGroupSize, objects.count)]
      let actions = try await lfsActions(for: group.map(\.pointer), at: revision)
      sent += try await withThrowingTaskGroup(of: Int.self) { tasks in
        for upload in group {
          guard let todo = actions[upload.pointer.digest] else { continue }
          tasks.addTask { try await upload.run(todo) }
        }
        return try await tasks.reduce(0, +)
      }
    }
    return sent
  }
}
