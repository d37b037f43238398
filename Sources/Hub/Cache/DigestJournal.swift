// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage
internal import SystemPackage

/// Which files have been read and found to have which digest, and what they were like then.
///
/// A file with the same length, time of change and inode as then has not been written since: what was
/// found then still holds, but for damage done below the file system. A text of lines "digest size
/// modified inode path".
struct DigestJournal {
  private struct Entry: Hashable {
    let digest: Digest
    let status: FileStatus
  }

  private let place: FilePath
  private var entries: [String: Entry] = [:]

  /// How long a file must have rested before its time of change tells it from a later version: clocks of
  /// file systems tick every ten milliseconds at worst.
  private static let rest = 50_000_000

  /// What an earlier run has left; nothing if it cannot be read.
  init(_ place: FilePath) {
    self.place = place
    guard let bytes = try? FileSystem.read(place) else { return }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 4)
      guard fields.count == 5, let digest = Digest(hex: String(fields[0])),
        let size = Int(fields[1]), let modified = Int(fields[2]), let inode = UInt64(fields[3])
      else { continue }
      entries[String(fields[4])] = Entry(
        digest: digest, status: FileStatus(size: size, modified: modified, inode: inode))
    }
  }

  /// Whether a file has been found to have a digest, and has not been changed since.
  func vouches(for path: FilePath, _ digest: Digest) -> Bool {
    guard let entry = entries[path.string], entry.digest == digest else { return false }
    return (try? FileSystem.status(path)) == entry.status
  }

  /// What a file is like at this moment, to be taken before it is read; nil if it was written so lately
  /// that a further change could go unnoticed.
  static func stamp(of path: FilePath) throws -> FileStatus? {
    let status = try FileSystem.status(path)
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let time = Int(now.tv_sec) * 1_000_000_000 + Int(now.tv_nsec)
    return status.modified + Self.rest < time ? status : nil
  }

  /// Notes the digest of a file that was like `stamp` before it was read.
  mutating func note(_ path: FilePath, _ digest: Digest, _ stamp: FileStatus?) {
    guard let stamp, !path.string.contains("\n") else { return }
    entries[path.string] = Entry(digest: digest, status: stamp)
  }

  mutating func forget(_ path: FilePath) { entries[path.string] = nil }

  /// Writes it down, without files that are gone. What only spares work is no reason to fail.
  func save() {
    let lines = entries.filter { FileSystem.exists(FilePath($0.key)) }
      .sorted { $0.key < $1.key }.map { path, entry in
        "\(entry.digest) \(entry.status.size) \(entry.status.modified) \(entry.status.inode) \(path)\n"
      }
    do {
      try FileSystem.createFolder(place.removingLastComponent())
      try FileSystem.write(lines.joined(), to: place)
    } catch {
      // The next run reads the files again.
    }
  }
}
