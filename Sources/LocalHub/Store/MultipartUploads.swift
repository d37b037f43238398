// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import NIOHTTP1
internal import Storage
internal import Synchronization
internal import SystemPackage

/// Large objects that arrive in parts: each part goes to its place in one file.
///
/// They live as long as the server; what is not completed then has to be sent again.
final class MultipartUploads: Sendable {
  struct Upload: Sendable {
    let pointer: LFSPointer
    /// The repository that it is for.
    let repository: RepoID
    let path: FilePath
    let partSize: Int
    /// The ETags of the parts that have arrived.
    var etags: [Int: String] = [:]
    /// Requests that are writing to the file; it becomes an object only when there are none.
    var writers = 0
    let begun = Timestamp.now

    var partCount: Int { (pointer.size + partSize - 1) / partSize }

    func range(of part: Int) -> Range<Int> {
      (part - 1) * partSize..<min(part * partSize, pointer.size)
    }
  }

  private let blobs: BlobStore
  private let partSize: Int
  private let lifetime: Int
  private let uploads = Mutex<[String: Upload]>([:])
  private static let partLimit = 10_000

  init(blobs: BlobStore, partSize: Int, lifetime: Int) {
    self.blobs = blobs
    self.partSize = partSize
    self.lifetime = lifetime
  }

  /// Begins an upload; the file takes no space before its parts arrive.
  func begin(
    _ pointer: LFSPointer, for repository: RepoID
  ) throws -> (id: String, upload: Upload) {
    try discardExpired()
    let id = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let path = blobs.draft()
    try File(path, .create).truncate(to: pointer.size)
    let fewest = (pointer.size + Self.partLimit - 1) / Self.partLimit
    let upload = Upload(
      pointer: pointer, repository: repository, path: path, partSize: max(partSize, fewest))
    uploads.withLock { $0[id] = upload }
    return (id, upload)
  }

  /// - Throws: `HubFailure` 404 if there is no such upload, or no longer.
  subscript(id: String) -> Upload {
    get throws(HubFailure) {
      guard let upload = uploads.withLock({ $0[id] }) else {
        throw HubFailure(.notFound, "The specified upload does not exist")
      }
      return upload
    }
  }

  /// A part's place in the file, which cannot become an object before the spool is gone.
  func spool(for part: Int, of id: String) throws -> Spool {
    let upload = uploads.withLock { uploads in
      uploads[id]?.writers += 1
      return uploads[id]
    }
    guard let upload else {
      throw HubFailure(.notFound, "The specified upload does not exist")
    }
    do {
      return try Spool(filling: upload.range(of: part), of: upload.path) { [self] in
        uploads.withLock { $0[id]?.writers -= 1 }
      }
    } catch {
      uploads.withLock { $0[id]?.writers -= 1 }
      throw error
    }
  }

  func received(_ part: Int, etag: String, of id: String) {
    uploads.withLock { $0[id]?.etags[part] = etag }
  }

  /// Makes the parts an object.
  ///
  /// - Throws: `HubFailure` 400 if parts are missing, named wrongly, or do not make up the content
  ///   that the object's id promises.
  func complete(_ id: String, parts: [(number: Int, etag: String)]) throws -> Upload {
    let upload = try self[id]
    guard parts.map(\.number).sorted() == Array(1...max(1, upload.partCount)),
      parts.allSatisfy({ upload.etags[$0.number] == $0.etag })
    else { throw HubFailure.badRequest("One or more of the specified parts could not be found") }
    try uploads.withLock { uploads in
      guard uploads[id]?.writers == 0 else {
        throw HubFailure(.conflict, "A part of this upload is still being written")
      }
      uploads[id] = nil
    }
    let digest = try Digest.ofFile(upload.path)
    guard digest == upload.pointer.digest else {
      try FileSystem.remove(upload.path)
      throw HubFailure.badRequest(
        "The content's SHA-256 is \(digest), not \(upload.pointer.digest)")
    }
    try blobs.adopt(upload.path, as: digest)
    return upload
  }

  private func discardExpired() throws {
    let now = Timestamp.now.seconds
    let expired = uploads.withLock { uploads in
      let expired = uploads.filter {
        $0.value.writers == 0 && now - $0.value.begun.seconds > 2 * lifetime
      }
      for id in expired.keys { uploads[id] = nil }
      return expired.values.map(\.path)
    }
    for path in expired { try FileSystem.remove(path) }
  }
}
