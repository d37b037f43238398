// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage

/// What git stores in place of a large file: the digest and the size of its content.
package struct LFSPointer: Hashable, Sendable {
  /// SHA-256 of the content.
  package let digest: Digest
  /// Length of the content in bytes.
  package let size: Int

  /// - Precondition: `digest` is SHA-256.
  package init(digest: Digest, size: Int) {
    precondition(digest.algorithm == .sha256, "a pointer names its content by SHA-256")
    self.digest = digest
    self.size = size
  }

  /// The pointer file, as git-lfs writes it.
  package var text: String {
    "version https://git-lfs.github.com/spec/v1\noid sha256:\(digest.hex)\nsize \(size)\n"
  }

  /// A pointer from the content of a file; nil if the file is not a pointer.
  package init?(_ text: String) {
    guard text.utf8.count < 1024 else { return nil }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.popLast() == "", lines.first == "version https://git-lfs.github.com/spec/v1"
    else { return nil }
    var digest: Digest?
    var size: Int?
    for line in lines.dropFirst() {
      let field = line.split(separator: " ", maxSplits: 1)
      guard field.count == 2 else { return nil }
      switch field[0] {
      case "oid" where field[1].hasPrefix("sha256:"):
        digest = Digest(hex: String(field[1].dropFirst("sha256:".count)))
      case "size": size = Int(field[1])
      default: break
      }
    }
    guard let digest, digest.algorithm == .sha256, let size, size >= 0 else { return nil }
    self.init(digest: digest, size: size)
  }
}
