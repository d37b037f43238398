// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import Storage
package import SystemPackage

/// A shard that is safely on the disk.
package struct FinishedShard: Sendable {
  /// Its number in the layout.
  package let number: Int
  package let name: String
  package let path: FilePath
  package let size: Int
  /// SHA-256, if the writer was to compute it.
  package let digest: Digest?
}

/// The file in a folder in the making that tells which shards are done.
struct ShardJournal: Sendable {
  struct Entry: Sendable {
    let digest: Digest?
    /// Whether the file was removed because there is a copy elsewhere.
    let isDiscarded: Bool
    /// Digests of its tensors, by their numbers in the layout; empty if they were not wanted.
    var tensors: [Int: FastDigest] = [:]
  }

  static let name = ".hubmerge-journal.json"

  private let folder: FilePath
  /// What the shards are made of; a journal of other work counts as empty.
  private let fingerprint: String
  private(set) var finished: [Int: Entry] = [:]

  /// Reads the journal of a folder; without one, or with that of other work, nothing is done yet.
  init(in folder: FilePath, fingerprint: String) {
    self.folder = folder
    self.fingerprint = fingerprint
    guard let bytes = try? FileSystem.read(folder.appending(Self.name)),
      let journal = try? JSON.parse(bytes),
      journal["fingerprint"]?.string == fingerprint
    else { return }
    for entry in journal["finished"]?.array ?? [] {
      guard let number = entry["shard"]?.int else { continue }
      finished[number] = Entry(
        digest: entry["sha256"]?.string.flatMap(Digest.init(hex:)),
        isDiscarded: entry["discarded"]?.bool ?? false, tensors: Self.tensors(entry["tensors"]))
    }
  }

  /// The finished shards whose files are there.
  var present: [Int] { finished.filter { !$0.value.isDiscarded }.keys.sorted() }

  mutating func keep(_ isRight: (Int, Entry) -> Bool) { finished = finished.filter(isRight) }

  /// Notes that a shard is done.
  mutating func note(_ shard: Int, digest: Digest?, isDiscarded: Bool = false) throws {
    finished[shard] = Entry(
      digest: digest, isDiscarded: isDiscarded, tensors: finished[shard]?.tensors ?? [:])
    try write()
  }

  mutating func note(tensors: [Int: FastDigest], of shard: Int) throws {
    finished[shard]?.tensors = tensors
    try write()
  }

  private static func tensors(_ json: JSON?) -> [Int: FastDigest] {
    (json?.members ?? []).reduce(into: [:]) { found, member in
      guard let number = Int(member.key), let hex = member.value.string else { return }
      found[number] = FastDigest(hex: hex)
    }
  }

  private static func members(_ tensors: [Int: FastDigest]) -> [JSON.Member] {
    tensors.sorted { $0.key < $1.key }.map { .init("\($0.key)", .string($0.value.hex)) }
  }

  /// Notes that a shard has to be made again.
  mutating func forget(_ shard: Int) throws {
    finished[shard] = nil
    try write()
  }

  func write() throws {
    let entries = finished.sorted { $0.key < $1.key }.map { number, entry in
      JSON.object(
        [.init("shard", .int(number))]
          + (entry.digest.map { [.init("sha256", .string($0.hex))] } ?? [])
          + (entry.isDiscarded ? [.init("discarded", .bool(true))] : [])
          + (entry.tensors.isEmpty ? [] : [.init("tensors", .object(Self.members(entry.tensors)))]))
    }
    let journal = JSON.object([
      .init("fingerprint", .string(fingerprint)), .init("finished", .array(entries)),
    ])
    try FileSystem.write(
      journal.serialized(.compact), to: folder.appending(Self.name), durable: true)
  }
}
