// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Storage
internal import Synchronization

/// A digest of many bytes that is as fast as memory: the XXH3-128 of the XXH3-128s of each 256 KiB of them, 16 bytes
/// each, in their order, the upper half first.
///
/// Pieces are independent: threads that write them in any order come to the same digest. It finds damage and
/// tells where it is; against somebody who means to deceive there is SHA-256.
package struct FastDigest: Hashable, Sendable, CustomStringConvertible {
  /// Bytes in a piece; a thread writes a whole number of them at a time, if rows do not forbid it.
  package static let pieceSize = 256 << 10

  /// The scheme's name in files.
  package static let name = "xxh3-128/256k"

  package let high: UInt64
  package let low: UInt64

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Of all bytes at once.
  package init(of bytes: UnsafeRawBufferPointer) {
    self.init(
      pieces: stride(from: 0, to: bytes.count, by: Self.pieceSize).map { start in
        let end = min(start + Self.pieceSize, bytes.count)
        return .xxh3(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      })
  }

  fileprivate init(pieces: [FastDigest]) {
    let bytes = pieces.flatMap { piece in
      [piece.high, piece.low].flatMap { half in
        (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
      }
    }
    self = bytes.withUnsafeBytes { .xxh3($0) }
  }

  /// From 32 hexadecimal digits; nil if the text is not that.
  package init?(hex: String) {
    guard hex.utf8.count == 32, hex.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
      let high = UInt64(hex.prefix(16), radix: 16), let low = UInt64(hex.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  package var hex: String {
    [high, low].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }.joined()
  }

  package var description: String { hex }
}

extension FastDigest {
  /// A digest of bytes that come in parts, in any order and from any thread.
  package final class Collector: Sendable {
    package let byteCount: Int
    private let state: Mutex<State>

    private struct State {
      var pieces: [FastDigest?]
      /// Pieces of which a part has come, and how many bytes that is.
      var begun: [Int: (bytes: [UInt8], filled: Int)] = [:]
    }

    package init(byteCount: Int) {
      self.byteCount = byteCount
      let count = (byteCount + FastDigest.pieceSize - 1) / FastDigest.pieceSize
      state = Mutex(State(pieces: Array(repeating: nil, count: count)))
    }

    /// Adds a part; parts do not overlap.
    package func add(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
      let size = FastDigest.pieceSize
      precondition(offset >= 0 && offset + bytes.count <= byteCount)
      var start = 0
      while start < bytes.count {
        let piece = (offset + start) / size
        let end = min((piece + 1) * size - offset, bytes.count)
        let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        if part.count == min(size, byteCount - piece * size) {
          let digest = FastDigest.xxh3(part)
          state.withLock { $0.pieces[piece] = digest }
        } else {
          put(part, at: offset + start - piece * size, in: piece)
        }
        start = end
      }
    }

    /// Keeps a part of a piece until the rest of it has come.
    private func put(_ part: UnsafeRawBufferPointer, at offset: Int, in piece: Int) {
      let size = min(FastDigest.pieceSize, byteCount - piece * FastDigest.pieceSize)
      let whole = state.withLock { state -> [UInt8]? in
        var (bytes, filled) =
          state.begun.removeValue(forKey: piece) ?? ([UInt8](repeating: 0, count: size), 0)
        bytes.withUnsafeMutableBytes { buffer in
          UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + part.count])
            .copyMemory(from: part)
        }
        filled += part.count
        if filled == size { return bytes }
        state.begun[piece] = (bytes, filled)
        return nil
      }
      guard let whole else { return }
      let digest = whole.withUnsafeBytes { FastDigest.xxh3($0) }
      state.withLock { $0.pieces[piece] = digest }
    }

    /// The digest; nil if a part is missing.
    package func finish() -> FastDigest? {
      let pieces = state.withLock { $0.pieces.compactMap(\.self) }
      let count = (byteCount + FastDigest.pieceSize - 1) / FastDigest.pieceSize
      return pieces.count == count ? FastDigest(pieces: pieces) : nil
    }
  }
}

extension FastDigest {
  /// The digest of a range of a file.
  ///
  /// - Parameter observe: Called with the number of bytes of each piece; may throw to stop.
  package init(
    of file: File, _ range: Range<Int>, observe: (Int) throws -> Void = { _ in }
  ) throws {
    var pieces: [FastDigest] = []
    try withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 64) { buffer in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceSize) {
        let count = min(Self.pieceSize, range.upperBound - start)
        let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        try file.read(into: piece, at: start)
        pieces.append(.xxh3(UnsafeRawBufferPointer(piece)))
        try observe(count)
      }
    }
    self.init(pieces: pieces)
  }
}
