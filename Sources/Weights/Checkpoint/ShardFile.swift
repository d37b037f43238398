// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
internal import Synchronization

/// A shard in the making: laid out at its full size, filled by any thread and in any order, and digested on
/// the way if that is wanted.
package final class ShardFile: Sendable {
  private let file: File
  /// Bytes that are to be written, the header among them.
  private let size: Int
  /// Calls of the system to write a file take turns there anyway, and would spin while they wait.
  private let state: Mutex<State>

  private struct State {
    var missing: Int
    /// Bytes written since the system was told to take them to the disk.
    var unsynced = 0
    var digest: TrailingDigest?
  }

  /// How many bytes are written before the system begins to take them to the disk.
  private static let syncInterval = 32 << 20

  init(_ file: File, _ shard: ShardLayout.Shard, isDigested: Bool) throws {
    try file.allocate(shard.size)
    self.file = file
    size = shard.size
    state = Mutex(State(missing: shard.size, digest: isDigested ? TrailingDigest() : nil))
    try shard.header.withUnsafeBytes { _ = try write($0, at: 0) }
  }

  /// Writes bytes at an offset; no byte is written twice.
  ///
  /// - Returns: Whether these were the last that the shard had missing.
  @discardableResult
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws -> Bool {
    try fill(bytes.count) { state in
      try file.write(bytes, at: offset)
      try state.digest?.add(bytes, at: offset, of: file)
    }
  }

  @discardableResult
  package func write(_ bytes: [UInt8], at offset: Int) throws -> Bool {
    try bytes.withUnsafeBytes { try write($0, at: offset) }
  }

  /// Copies bytes from another file, inside the kernel unless they are digested.
  ///
  /// - Returns: As `write`.
  package func copy(from source: File, at offset: Int, to target: Int, count: Int) throws -> Bool {
    try fill(count) { state in
      try file.copy(from: source, at: offset, to: target, count: count)
      try state.digest?.add(target..<target + count, of: file)
    }
  }

  private func fill(_ count: Int, _ body: (inout State) throws -> Void) throws -> Bool {
    let (isComplete, isSyncDue) = try state.withLock { state in
      try body(&state)
      state.missing -= count
      state.unsynced += count
      let isSyncDue = state.unsynced >= Self.syncInterval
      if isSyncDue { state.unsynced = 0 }
      return (state.missing == 0 && count > 0, isSyncDue)
    }
    if isSyncDue, !isComplete { file.startSync() }
    return isComplete
  }

  /// Waits until the content is on the disk.
  ///
  /// - Returns: The digest of the whole file, if it was wanted.
  func finish() throws -> Digest? {
    try file.sync()
    return try state.withLock { try $0.digest?.finish(file, size: size) }
  }
}

/// The SHA-256 of a file that is written in nearly its order: it follows behind the bytes that are there without
/// a gap, and reads again only those that came before their turn.
private struct TrailingDigest {
  private let hasher = Digest.Hasher(.sha256)
  /// How many of the file's first bytes are in.
  private var end = 0
  /// What is written beyond a gap: the ends of ranges by their starts.
  private var ahead: [Int: Int] = [:]

  mutating func add(_ bytes: UnsafeRawBufferPointer, at offset: Int, of file: File) throws {
    guard offset == end else {
      ahead[offset] = offset + bytes.count
      return
    }
    hasher.update(bytes)
    end += bytes.count
    try catchUp(file)
  }

  mutating func add(_ range: Range<Int>, of file: File) throws {
    ahead[range.lowerBound] = range.upperBound
    try catchUp(file)
  }

  private mutating func catchUp(_ file: File) throws {
    while let next = ahead.removeValue(forKey: end) { try read(to: next, file) }
  }

  private mutating func read(to target: Int, _ file: File) throws {
    try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
      while end < target {
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<min(buffer.count, target - end)])
        try file.read(into: part, at: end)
        hasher.update(UnsafeRawBufferPointer(part))
        end += part.count
      }
    }
  }

  mutating func finish(_ file: File, size: Int) throws -> Digest {
    try read(to: size, file)
    return hasher.finish()
  }
}
