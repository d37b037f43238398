// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Digests")
struct DigestTests {
  @Test(
    "SHA-256 gives the digests of FIPS 180-4's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func sha256(text: String, hex: String) {
    #expect(Digest.sha256(Array(text.utf8)).hex == hex)
  }

  @Test(
    "A git blob has the name that git gives it",
    arguments: [
      ("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
      ("hello world\n", "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"),
    ])
  func gitBlob(text: String, hex: String) {
    let digest = Digest.gitBlob(Array(text.utf8))
    #expect(digest.hex == hex)
    #expect(digest.algorithm == .sha1)
  }

  @Test("A digest of pieces is the digest of the whole")
  func pieces() {
    let hasher = Digest.Hasher(.sha256)
    for byte in Array("abc".utf8) { hasher.update([byte]) }
    hasher.update([UInt8]())
    #expect(hasher.finish() == Digest.sha256(Array("abc".utf8)))
  }

  @Test("A file's digest is that of its bytes, told piece by piece, and can be stopped")
  func ofFile() throws {
    struct Stop: Error {}
    try withTemporaryFolder { folder in
      let path = folder.appending("a")
      let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0) }
      try FileSystem.write(bytes, to: path)
      var pieces: [Int] = []
      let digest = try Digest.ofFile(path) { pieces.append($0) }
      #expect(digest == Digest.sha256(bytes))
      #expect(pieces.reduce(0, +) == bytes.count)
      #expect(pieces.count == 3)
      #expect(
        try Digest.ofFile(path, .gitBlob(size: bytes.count)) == Digest.gitBlob(bytes))
      #expect(throws: Stop.self) { try Digest.ofFile(path) { _ in throw Stop() } }
      try FileSystem.write([UInt8](), to: path)
      #expect(try Digest.ofFile(path) == Digest.sha256([]))
    }
  }

  @Test(
    "Text is a digest only if it is 40 or 64 lower-case hexadecimal digits",
    arguments: [
      (String(repeating: "a", count: 40), true), (String(repeating: "0", count: 64), true),
      (String(repeating: "A", count: 40), false), (String(repeating: "g", count: 64), false),
      (String(repeating: "a", count: 39), false), ("", false),
      (String(repeating: "é", count: 20), false),
    ])
  func parses(text: String, isDigest: Bool) {
    #expect((Digest(hex: text) != nil) == isDigest)
  }
}
