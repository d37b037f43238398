// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
package import SystemPackage

/// A file to be uploaded.
package struct UploadFile: Sendable {
  package enum Source: Sendable {
    case file(FilePath)
    case bytes([UInt8])
  }

  /// Where it goes in the repository.
  package let path: String
  package let source: Source
  /// Length in bytes.
  package let size: Int
  /// SHA-256 of the content, if whoever made the file knows it.
  package let knownDigest: Digest?
  /// What the file looked like when it was listed; nil for bytes.
  package let status: FileStatus?

  /// - Throws: `HubError` if the path is not one that a repository may hold; `StorageError`.
  package init(_ path: String, _ source: Source, knownDigest: Digest? = nil) throws {
    self.path = try SafePath.check(path)
    self.source = source
    self.knownDigest = knownDigest?.algorithm == .sha256 ? knownDigest : nil
    switch source {
    case .file(let place):
      let status = try FileSystem.status(place)
      self.status = status
      size = status.size
    case .bytes(let bytes):
      status = nil
      size = bytes.count
    }
  }

  /// A part of the content, as the body of a request.
  func body(_ range: Range<Int>) throws -> HTTPBody {
    switch source {
    case .file(let place): .file(try File(place, .read), range)
    case .bytes(let bytes): .bytes(Array(bytes[range]))
    }
  }

  func bytes(_ range: Range<Int>) throws -> [UInt8] {
    switch source {
    case .file(let place): try File(place, .read).bytes(at: range.lowerBound, count: range.count)
    case .bytes(let bytes): Array(bytes[range])
    }
  }

  /// The digest of the content; blocks while it reads.
  func digest(_ algorithm: Digest.Algorithm, observe: (Int) throws -> Void) throws -> Digest {
    switch source {
    case .file(let place):
      let hasher = algorithm == .sha256 ? Digest.Hasher(.sha256) : .gitBlob(size: size)
      return try Digest.ofFile(place, hasher, observe: observe)
    case .bytes(let bytes):
      return algorithm == .sha256 ? .sha256(bytes) : .gitBlob(bytes)
    }
  }

  /// - Throws: `HubError` of kind `fileChanged` if the file is not the one that was listed.
  func checkUnchanged() throws {
    guard case .file(let place) = source else { return }
    guard try FileSystem.status(place) == status else { throw HubError(.fileChanged(path: path)) }
  }
}

extension UploadFile {
  /// The files of a folder, sorted by path.
  ///
  /// Left out are `.git`, notes about downloads (`.cache/huggingface`), half-written files and merges under way.
  ///
  /// - Parameters:
  ///   - target: The folder in the repository; empty for its root.
  ///   - digests: SHA-256 of files, by their path inside the folder, where it is known.
  package static func files(
    in folder: FilePath, _ selection: FileSelection = .everything, to target: String = "",
    digests: (String) -> Digest? = { _ in nil }
  ) throws -> [UploadFile] {
    let prefix = target.isEmpty || target.hasSuffix("/") ? target : target + "/"
    return try FileSystem.files(below: folder).map(\.string)
      .filter { !isPrivate($0) && selection.admits($0) }
      .map {
        try UploadFile(
          "\(prefix)\($0)", .file(folder.pushing(FilePath($0))), knownDigest: digests($0))
      }
  }

  private static func isPrivate(_ path: String) -> Bool {
    let segments = path.split(separator: "/")
    if segments.contains(where: { $0 == ".git" || isMergeUnderWay($0) }) { return true }
    for (first, second) in zip(segments, segments.dropFirst())
    where first == ".cache" && second == "huggingface" { return true }
    let name = segments.last ?? ""
    return (name.hasPrefix(".") && name.hasSuffix(".tmp")) || name.hasSuffix(".partial")
      || name.hasSuffix(".partial.journal") || name.hasSuffix(".incomplete")
  }

  private static func isMergeUnderWay(_ name: Substring) -> Bool {
    name.hasPrefix(".") && (name.hasSuffix(".hubmerge") || name.hasSuffix(".hubmerge-stages"))
  }
}
