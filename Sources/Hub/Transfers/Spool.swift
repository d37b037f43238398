// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
internal import Synchronization
package import SystemPackage

/// Room on the disk for what does not fit in memory: a nameless file of slots, gone with the process.
package final class Spool: Sendable {
  private struct State {
    /// Slots that have been used and are free again.
    var free: [Int] = []
    /// Slots used so far, in use or free.
    var count = 0
    var isBroken = false
  }

  private let file: File
  private let slotSize: Int
  private let slotLimit: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - folder: Where the file is made; it has no name there for longer than a moment.
  ///   - limit: Bytes that it may take.
  ///   - slotSize: Bytes of a slot: those of the longest request that is to be kept.
  package init(in folder: FilePath, limit: Int, slotSize: Int) throws(StorageError) {
    try FileSystem.createFolder(folder)
    let path = FileSystem.temporarySibling(of: folder.appending("spool"))
    file = try File(path, .create)
    try FileSystem.remove(path)
    self.slotSize = max(1, slotSize)
    slotLimit = max(0, limit) / self.slotSize
  }

  /// Keeps bytes, at most a slot of them.
  ///
  /// - Returns: The slot; nil if there is no room left, or the disk does not take them.
  func keep(_ bytes: [UInt8]) -> Int? {
    precondition(bytes.count <= slotSize)
    let slot = state.withLock { state -> Int? in
      if state.isBroken { return nil }
      if let slot = state.free.popLast() { return slot }
      guard state.count < slotLimit else { return nil }
      state.count += 1
      return state.count - 1
    }
    guard let slot else { return nil }
    do {
      try file.write(bytes, at: slot * slotSize)
      return slot
    } catch {
      // The disk is full: what it has is still good.
      state.withLock { $0.isBroken = true }
      return nil
    }
  }

  /// Fills a buffer with the bytes of a slot from `offset` on.
  func read(_ slot: Int, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    try file.read(into: buffer, at: slot * slotSize + offset)
  }

  func free(_ slot: Int) { state.withLock { $0.free.append(slot) } }

  /// Bytes that the file has come to.
  var size: Int { state.withLock { $0.count } * slotSize }
}
