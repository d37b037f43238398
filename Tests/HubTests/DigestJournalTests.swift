// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import LocalHub
import Storage
import SystemPackage
import Testing

@testable import Hub

@Suite struct DigestJournalTests {
  private let folder: TemporaryFolder
  private let events = EventLog()

  init() throws { folder = try TemporaryFolder() }

  private var place: FilePath { folder.path.appending("model/w.safetensors") }
  private var state: FilePath { folder.path.appending("state") }

  /// Writes the file with a time of change in the past, as files mostly have.
  private func write(_ bytes: [UInt8], age: Int = 100) throws {
    try FileSystem.createFolder(place.removingLastComponent())
    try FileSystem.write(bytes, to: place)
    let time = timespec(tv_sec: Glibc.time(nil) - age, tv_nsec: 0)
    utimensat(AT_FDCWD, place.string, [time, time], 0)
  }

  /// The digest that a push would name, and how many bytes were read for it.
  private func digest() async throws -> (Digest, read: Int) {
    let journal = try DigestJournal(of: place.removingLastComponent(), in: state)
    let client = HubClient(.testing("http://127.0.0.1:1")) { [events] in events.add($0) }
    let before = read
    let digests = try await client.model("acme/one").digests(
      of: [UploadFile("w.safetensors", .file(place))], journal: journal
    ) { _ in .sha256 }
    return (digests[0], read - before)
  }

  private var read: Int {
    events.all.reduce(0) { if case .hashed(_, let bytes) = $1 { $0 + bytes } else { $0 } }
  }

  @Test func `a file is read once for its digest, as long as it looks the same`() async throws {
    let content = noise(5000)
    try write(content)
    let first = try await digest()
    #expect(first == (Digest.sha256(content), 5000))
    #expect(try await digest() == (Digest.sha256(content), 0))

    let other = noise(5000, seed: 2)
    try write(other, age: 50)
    #expect(try await digest() == (Digest.sha256(other), 5000))
    #expect(try await digest() == (Digest.sha256(other), 0))
  }

  @Test func `a file that has just been written is not trusted to tell its changes`() async throws {
    try write(noise(100), age: 0)
    _ = try await digest()
    #expect(try await digest().read == 100)
  }

  @Test func `half a line and lines of files that are gone are dropped`() async throws {
    try write(noise(300))
    _ = try await digest()
    let path = state.appending(try FileSystem.names(in: state)[0])
    let line = String(decoding: try FileSystem.read(path), as: UTF8.self)
    let gone = line.replacing("w.safetensors", with: "v.safetensors")
    try FileSystem.write(line + gone + String(line.prefix(40)), to: path)
    #expect(try await digest().read == 0)
    #expect(String(decoding: try FileSystem.read(path), as: UTF8.self) == line)
  }
}
