// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
package import SystemPackage
package import Weights

/// What a file's content is known by, with the scheme that it was made by.
package enum ContentDigest: Hashable, Sendable {
  case sha256(Digest)
  /// Git's name for the content, by which a hub knows small files.
  case gitBlob(Digest)
  case fast(FastDigest)

  /// The digest of a file, in the cheapest scheme there is for it.
  ///
  /// The hub's cache calls contents by the digests that they were checked against when they came, so these are not
  /// read; anything else is, at the speed of memory or of the disk.
  package init(identifying path: FilePath) throws {
    if let name = FileSystem.symlinkTarget(path)?.lastComponent?.string,
      let digest = Digest(hex: name)
    {
      self = digest.algorithm == .sha256 ? .sha256(digest) : .gitBlob(digest)
    } else {
      let file = try File(path, .read)
      self = .fast(try FastDigest(of: file, 0..<file.size))
    }
  }

  /// Whether a file has this content; reads it.
  ///
  /// - Parameter observe: Called with the number of bytes of each piece; may throw to stop.
  package func matches(_ path: FilePath, observe: (Int) throws -> Void = { _ in }) throws -> Bool {
    switch self {
    case .sha256(let digest): return try Digest.ofFile(path, observe: observe) == digest
    case .gitBlob(let digest):
      return try Digest.ofFile(path, .gitBlob(size: FileSystem.size(path)), observe: observe)
        == digest
    case .fast(let digest):
      let file = try File(path, .read)
      return try FastDigest(of: file, 0..<file.size, observe: observe) == digest
    }
  }

  /// `sha256:…`, as locks have it.
  package var text: String {
    switch self {
    case .sha256(let digest): "sha256:\(digest.hex)"
    case .gitBlob(let digest): "git:\(digest.hex)"
    case .fast(let digest): "\(FastDigest.name):\(digest.hex)"
    }
  }

  /// Nil if the text is no digest, or of a scheme that is not known.
  package init?(text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return nil }
    switch parts[0] {
    case "sha256":
      guard let digest = Digest(hex: parts[1]), digest.algorithm == .sha256 else { return nil }
      self = .sha256(digest)
    case "git":
      guard let digest = Digest(hex: parts[1]), digest.algorithm == .sha1 else { return nil }
      self = .gitBlob(digest)
    case FastDigest.name:
      guard let digest = FastDigest(hex: parts[1]) else { return nil }
      self = .fast(digest)
    default: return nil
    }
  }
}
