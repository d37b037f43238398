// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Writes a piece into its draft as it comes, and notes what is in.
///
/// The transport hands over a few kilobytes at a time; they are gathered first, because one large write
/// costs much less than many small ones.
final class PieceWriter: Sendable {
  private struct State {
    /// Where the gathered bytes belong.
    var offset: Int
    var bytes: [UInt8] = []
  }

  private let draft: PartialFile
  private let state: Mutex<State>
  private let tell: @Sendable (Int) -> Void

  /// Bytes gathered at most: what a killed process loses of each piece under way.
  private static let capacity = 512 << 10

  /// - Parameters:
  ///   - offset: Where the piece begins in the file.
  ///   - tell: Gets the number of bytes of each write.
  init(_ draft: PartialFile, at offset: Int, tell: @escaping @Sendable (Int) -> Void) {
    self.draft = draft
    self.tell = tell
    state = Mutex(State(offset: offset))
  }

  /// Takes the bytes that follow.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try state.withLock { state in
      if state.bytes.capacity == 0 { state.bytes.reserveCapacity(Self.capacity) }
      if state.bytes.count + bytes.count > Self.capacity { try flush(&state) }
      state.bytes.append(contentsOf: bytes)
    }
  }

  /// Writes what is gathered.
  func flush() throws { try state.withLock { try flush(&$0) } }

  private func flush(_ state: inout State) throws {
    guard !state.bytes.isEmpty else { return }
    let range = state.offset..<state.offset + state.bytes.count
    try state.bytes.withUnsafeBytes { try draft.write($0, at: range.lowerBound) }
    try draft.record(range)
    state.offset = range.upperBound
    state.bytes.removeAll(keepingCapacity: true)
    tell(range.count)
  }
}
