// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc
internal import Storage
package import SystemPackage

/// SHA-256 of files that were computed before, kept from run to run: a line for each file, with what it looked
/// like then.
package final class DigestJournal: Sendable {
  private struct Entry: Sendable {
    let status: FileStatus
    let digest: Digest
  }

  private let file: File
  private let entries: [String: Entry]

  /// A file is trusted to have changed its time with its content only if that time was this long ago when it was
  /// read: clocks of file systems tick slowly.
  private static let settlingTime = 2_000_000_000

  /// Opens the journal of a folder, or begins it.
  ///
  /// - Parameter state: Where journals are kept.
  package init(of folder: FilePath, in state: FilePath) throws {
    let name = Digest.sha256(Array((FileSystem.resolved(folder) ?? folder).string.utf8)).hex
    let path = state.appending("\(name.prefix(32)).jsonl")
    try FileSystem.createFolder(state)
    let lines = (try? FileSystem.read(path))?.split(separator: UInt8(ascii: "\n")) ?? []
    var entries: [String: Entry] = [:]
    // The last line may be half a line.
    for line in lines {
      guard let (place, entry) = Self.entry(Array(line)) else { continue }
      entries[place] = entry
    }
    entries = entries.filter { (try? FileSystem.status(FilePath($0.key))) == $0.value.status }
    if entries.count < lines.count {
      let kept = entries.sorted { $0.key < $1.key }.map { Self.line($0.key, $0.value) }.joined()
      try FileSystem.write(kept, to: path)
    }
    self.entries = entries
    file = try File(path, .append)
  }

  /// The digest of a file that looks as it did when the digest was computed.
  func digest(of file: UploadFile) -> Digest? {
    guard let place = Self.place(of: file), let status = file.status else { return nil }
    return digest(of: place, status)
  }

  /// The same by the file's place, resolved, and what it looks like.
  func digest(of place: FilePath, _ status: FileStatus) -> Digest? {
    guard let entry = entries[place.string], entry.status == status else { return nil }
    return entry.digest
  }

  /// Notes a digest that has just been computed.
  ///
  /// - Parameter started: When reading began, in nanoseconds since 1970.
  func record(_ digest: Digest, of file: UploadFile, started: Int) throws {
    guard let status = file.status, let place = Self.place(of: file) else { return }
    try record(digest, of: place, status, started: started)
  }

  /// The same by the file's place, resolved, and what it looked like before it was read.
  func record(_ digest: Digest, of place: FilePath, _ status: FileStatus, started: Int) throws {
    guard digest.algorithm == .sha256, started - status.modified >= Self.settlingTime else {
      return
    }
    try file.append(Array(Self.line(place.string, Entry(status: status, digest: digest)).utf8))
  }

  /// Nanoseconds since 1970.
  static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  private static func place(of file: UploadFile) -> FilePath? {
    guard case .file(let path) = file.source else { return nil }
    return FileSystem.resolved(path)
  }

  private static func line(_ place: String, _ entry: Entry) -> String {
    let json = JSON.object([
      "path": .string(place), "size": .int(entry.status.size),
      "mtime": .int(entry.status.modified), "inode": .number("\(entry.status.inode)"),
      "sha256": .string(entry.digest.hex),
    ])
    return json.serialized(.compact) + "\n"
  }

  private static func entry(_ line: [UInt8]) -> (place: String, Entry)? {
    guard let json = try? JSON.parse(line), let place = json["path"]?.string,
      let size = json["size"]?.int, let modified = json["mtime"]?.int,
      case .number(let inode)? = json["inode"], let number = UInt64(inode),
      let digest = json["sha256"]?.string.flatMap({ Digest(hex: $0) }),
      digest.algorithm == .sha256
    else { return nil }
    return (
      place,
      Entry(
        status: FileStatus(size: size, modified: modified, inode: number), digest: digest)
    )
  }
}
