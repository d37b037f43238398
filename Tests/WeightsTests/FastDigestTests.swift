// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import Weights

@Suite struct FastDigestTests {
  /// What python-xxhash says of `Self.bytes`.
  @Test(
    "XXH3 is that of everybody else, whatever the length",
    arguments: [
      (0, "99aa06d3014798d86001c324468d497f"),
      (1, "a6cd5e9392000f6ac44bdff4074eecdb"),
      (3, "95c705060a313bf8a1c4a8259b827291"),
      (4, "afbf64f9281b8de2fde8d93ae8794d8e"),
      (8, "2761698c33953c430234362aaf47b71a"),
      (9, "0d39db6431d37a74895c8a562da51412"),
      (16, "29be75b0bbbb5284aafffcec5df2cb27"),
      (17, "db7e8f77961e47fd878751509ecfdb8b"),
      (65, "b6dfa5aac5c63dc2f5b4ade8de9a76a3"),
      (128, "ba44fd018231af4cbbe087d879edcc78"),
      (129, "522c922743fd67f1b8075934107218e5"),
      (200, "fc856e6538fc9e49293b2bb62ee3d385"),
      (240, "4f49ccc8526aa7ad407883ea5ef95b9a"),
      (241, "50b62ee1ee6455a7bc424a2c480dd281"),
      (1024, "53bd178b75ab292e1fd15e7d36f5e1bc"),
      (1025, "d1ad5f4a3cce4374fe08e5a874d23fd2"),
      (5000, "971956c2a9ecb28a853377ef13cec7bd"),
    ])
  func xxh3(count: Int, hex: String) {
    let digest = Self.bytes(count).withUnsafeBytes { FastDigest.xxh3($0) }
    #expect(digest.hex == hex)
    #expect(FastDigest(hex: hex) == digest)
  }

  /// Two loops of python-xxhash over pieces of 262144 bytes.
  @Test(
    "the digest of many bytes is that of the digests of their pieces",
    arguments: [
      (0, "99aa06d3014798d86001c324468d497f"),
      (1, "de68429b8afe28ce97cda390d38d6d2b"),
      (262144, "5f6cb1c78c67fae7889703c6e6bbe040"),
      (262145, "cc9d274024ddf07f8894fdd6cf50594e"),
      (1_000_003, "ba54c081a0bf53546054b933e0bbf1a8"),
    ])
  func pieces(count: Int, hex: String) throws {
    let bytes = Self.bytes(count)
    #expect(bytes.withUnsafeBytes { FastDigest(of: $0) }.hex == hex)
    try withTemporaryFolder { folder in
      try FileSystem.write([7] + bytes, to: folder.appending("file"))
      let file = try File(folder.appending("file"), .read)
      #expect(try FastDigest(of: file, 1..<count + 1).hex == hex)
    }
  }

  @Test("parts may come in any order and be cut anywhere", arguments: [1, 4096, 262144, 300_001])
  func parts(size: Int) {
    let bytes = Self.bytes(size == 1 ? 700 : 1_000_003)
    let collector = FastDigest.Collector(byteCount: bytes.count)
    let starts = stride(from: 0, to: bytes.count, by: size)
    bytes.withUnsafeBytes { buffer in
      for start in starts.reversed() {
        #expect(collector.finish() == nil)
        let end = min(start + size, bytes.count)
        collector.add(UnsafeRawBufferPointer(rebasing: buffer[start..<end]), at: start)
      }
    }
    #expect(collector.finish() == bytes.withUnsafeBytes { FastDigest(of: $0) })
  }

  @Test("nothing at all has a digest too, and what is no digest is none")
  func odd() {
    #expect(
      FastDigest.Collector(byteCount: 0).finish() == FastDigest.xxh3(.init(start: nil, count: 0)))
    for hex in [
      "", "0", String(repeating: "g", count: 32), "+" + String(repeating: "0", count: 31),
    ] {
      #expect(FastDigest(hex: hex) == nil)
    }
  }

  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
  }
}
