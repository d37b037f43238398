// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
internal import SystemPackage

/// A file on its way: its full length reserved, and a journal of the ranges that are in.
///
/// The journal, a text of lines "start end", outlives a killed process, so that the next one goes on
/// where it was. It promises nothing: the digest of the whole is checked before the file is used.
final class PartialFile: Sendable {
  let path: FilePath
  let size: Int
  private let file: File
  private let journal: File
  private let state: Mutex<(done: ByteRanges, journalEnd: Int)>

  /// Opens what an earlier attempt has left, or begins anew.
  init(_ path: FilePath, size: Int) throws {
    try FileSystem.createFolder(path.removingLastComponent())
    self.path = path
    self.size = size
    file = try File(path, .createOrUpdate)
    journal = try File(Self.journalPath(path), .createOrUpdate)
    state = Mutex((ByteRanges(), 0))
    if try file.size == size, try journal.size > 0, let done = try Self.read(journal, size) {
      let end = try journal.size
      state.withLock { $0 = (done, end) }
    } else {
      try restart()
    }
  }

  /// The bytes that an earlier attempt has left of a file of `size` bytes; nothing is changed.
  static func received(_ path: FilePath, size: Int) -> Int {
    guard (try? FileSystem.size(path)) == size,
      let journal = try? File(journalPath(path), .read),
      let done = try? read(journal, size)
    else { return 0 }
    return done.count
  }

  static func journalPath(_ path: FilePath) -> FilePath {
    path.removingLastComponent().appending("\(path.lastComponent?.string ?? "file").journal")
  }

  private static func read(_ journal: File, _ size: Int) throws -> ByteRanges? {
    let length = try journal.size
    guard length <= 64 << 20 else { return nil }
    var text = String(decoding: try journal.bytes(at: 0, count: length), as: UTF8.self)
    var done = ByteRanges()
    // A line that a kill cut off has no end and does not count.
    guard let end = text.lastIndex(of: "\n") else { return nil }
    text = String(text[..<end])
    for line in text.split(separator: "\n") {
      let ends = line.split(separator: " ").map { Int($0) }
      guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 0, first <= last,
        last <= size
      else { return nil }
      done.insert(first..<last)
    }
    return done
  }

  /// The bytes that are in.
  var received: Int { state.withLock { $0.done.count } }

  /// Where the first gap begins: everything before it is in.
  var contiguous: Int {
    state.withLock { state in
      guard let first = state.done.ranges.first, first.lowerBound == 0 else { return 0 }
      return first.upperBound
    }
  }

  /// What is missing, in pieces of at most `length` bytes.
  func missing(inPiecesOf length: Int) -> [Range<Int>] {
    state.withLock { $0.done.gaps(in: 0..<size) }.flatMap { gap in
      stride(from: gap.lowerBound, to: gap.upperBound, by: length).map {
        $0..<min($0 + length, gap.upperBound)
      }
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    try file.write(bytes, at: offset)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    try file.read(into: buffer, at: offset)
  }

  /// Notes that the bytes of a range are written.
  func record(_ range: Range<Int>) throws {
    guard !range.isEmpty else { return }
    let line = Array("\(range.lowerBound) \(range.upperBound)\n".utf8)
    let offset = state.withLock { state in
      state.done.insert(range)
      defer { state.journalEnd += line.count }
      return state.journalEnd
    }
    try journal.write(line, at: offset)
  }

  /// Forgets everything that is in.
  func restart() throws {
    try journal.truncate(to: 0)
    try file.truncate(to: 0)
    if size > 0 { try file.allocate(size) }
    state.withLock { $0 = (ByteRanges(), 0) }
  }

  /// Hands the complete file over; only the journal is left to be removed.
  func close() throws { try FileSystem.remove(Self.journalPath(path)) }

  /// Removes a file and its journal.
  static func discard(_ path: FilePath) throws {
    try FileSystem.remove(path)
    try FileSystem.remove(journalPath(path))
  }
}
