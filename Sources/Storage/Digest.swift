// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
package import SystemPackage

/// A content digest as lower-case hexadecimal text.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
  package enum Algorithm: Sendable { case sha1, sha256 }

  package let algorithm: Algorithm
  package let hex: String
  package var description: String { hex }

  /// A digest from its text; the length tells the algorithm. Nil if it is neither SHA-1 nor SHA-256.
  package init?(hex: String) {
    guard hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
      return nil
    }
    switch hex.utf8.count {
    case 40: algorithm = .sha1
    case 64: algorithm = .sha256
    default: return nil
    }
    self.hex = hex
  }

  init(_ algorithm: Algorithm, _ bytes: [UInt8]) {
    self.algorithm = algorithm
    let digits = Array("0123456789abcdef".utf8)
    hex = String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  package static func sha256(_ bytes: [UInt8]) -> Digest {
    let hasher = Hasher(.sha256)
    hasher.update(bytes)
    return hasher.finish()
  }

  /// Git's name for a file's content: SHA-1 of "blob SIZE\0" and the bytes.
  package static func gitBlob(_ bytes: [UInt8]) -> Digest {
    let hasher = Hasher.gitBlob(size: bytes.count)
    hasher.update(bytes)
    return hasher.finish()
  }

  /// Digest of a file's content, read in pieces.
  ///
  /// - Parameter observe: Called with the number of bytes of each piece; may throw to stop.
  package static func ofFile(
    _ path: FilePath, _ hasher: Hasher? = nil, observe: (Int) throws -> Void = { _ in }
  ) throws -> Digest {
    let hasher = hasher ?? Hasher(.sha256)
    let file = try File(path, .read)
    let size = try file.size
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var offset = 0
    while offset < size {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(buffer.count, size - offset)])
      try file.read(into: part, at: offset)
      hasher.update(UnsafeRawBufferPointer(part))
      offset += part.count
      try observe(part.count)
    }
    return hasher.finish()
  }

  /// A digest in the making. Used by one thread at a time.
  package final class Hasher {
    private let context: OpaquePointer
    private let algorithm: Algorithm

    package init(_ algorithm: Algorithm) {
      self.algorithm = algorithm
      context = EVP_MD_CTX_new()
      EVP_DigestInit_ex(context, algorithm == .sha1 ? EVP_sha1() : EVP_sha256(), nil)
    }

    /// Hashes a git blob of `size` bytes, of which the header is already in.
    package static func gitBlob(size: Int) -> Hasher {
      let hasher = Hasher(.sha1)
      hasher.update(Array("blob \(size)\0".utf8))
      return hasher
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
      EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest; nothing may be added after.
    package func finish() -> Digest {
      var bytes = [UInt8](repeating: 0, count: 64)
      var count: UInt32 = 0
      EVP_DigestFinal_ex(context, &bytes, &count)
      return Digest(algorithm, Array(bytes[..<Int(count)]))
    }
  }
}
