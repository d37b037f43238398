// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Ranges of repository files, fetched ahead in the order in which they are going to be read.
///
/// The reads to come are told beforehand. As many of them as fit in memory are under way or waiting, over
/// all connections of the client; what has been read makes room for the next. Reads may come in another
/// order, or unplanned, and are then served at once, whatever the window holds: none waits for one that
/// comes later. Broken connections and addresses that have expired are seen to on the way.
package final class RangeReader: Sendable {
  /// One file to read from.
  package struct Source: Sendable {
    package let repository: Repository
    package let path: String
    package let commit: CommitID

    package init(_ repository: Repository, _ path: String, at commit: CommitID) {
      self.repository = repository
      self.path = path
      self.commit = commit
    }
  }

  private enum Progress {
    case planned
    case fetching(Task<Void, Never>, waiting: [CheckedContinuation<[UInt8], any Error>])
    case ready([UInt8])
    case failed(any Error)
    /// Every planned byte of it has been read.
    case done
  }

  private struct State {
    var progress: [Progress]
    /// Bytes of each piece that are still to be read.
    var left: [Int]
    /// The first piece that has not been asked for yet.
    var next = 0
    /// Bytes of the pieces that are under way or ready.
    var held = 0
    var peak = 0
    var isClosed = false
  }

  private let files: [RemoteFile]
  private let pieces: [ReadPlan.Piece]
  /// The pieces of each file by where they begin.
  private let index: [[Int]]
  private let memory: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - sources: The files; planned reads name them by their index here.
  ///   - plan: The reads to come, in order; a range that is read twice stands there twice.
  ///   - memory: Bytes to hold at most, but for reads that somebody is waiting for.
  ///   - pieceLength: Bytes of one request at most.
  /// - Throws: `HubError` of kind `unsafePath`.
  package init(
    _ sources: [Source], plan: [PlannedRead], memory: Int = 256 << 20, pieceLength: Int = 8 << 20
  ) throws {
    files = try sources.map { source in
      RemoteFile(source.repository, try SafePath.check(source.path), at: source.commit)
    }
    precondition(plan.allSatisfy { sources.indices.contains($0.file) }, "a file that is not listed")
    let pieces = ReadPlan(plan, pieceLength: max(1, min(pieceLength, memory))).pieces
    self.pieces = pieces
    index = sources.indices.map { file in
      pieces.indices.filter { pieces[$0].file == file }
        .sorted { (pieces[$0].range.lowerBound, $0) < (pieces[$1].range.lowerBound, $1) }
    }
    self.memory = memory
    state = Mutex(
      State(progress: Array(repeating: .planned, count: pieces.count), left: pieces.map(\.wanted)))
    fetchAhead()
  }

  deinit { close() }

  /// Ends all requests; reads that are waiting fail with `CancellationError`.
  package func close() {
    let tasks = state.withLock { state -> [Task<Void, Never>] in
      state.isClosed = true
      return state.progress.compactMap { if case .fetching(let task, _) = $0 { task } else { nil } }
    }
    for task in tasks { task.cancel() }
  }

  /// The most bytes that were held at once.
  package var peakMemory: Int { state.withLock { $0.peak } }

  // MARK: Reading

  /// The bytes of a range.
  ///
  /// - Throws: `HubError`, `CancellationError`.
  package func read(_ file: Int, _ range: Range<Int>) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    try await read(file, range) { bytes += $0 }
    return bytes
  }

  /// Fills a buffer from `offset` on, while the calling thread waits; not for threads that run tasks.
  package func read(_ file: Int, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws
  {
    let range = offset..<offset + buffer.count
    let bytes = try BlockingWork.wait { [self] in try await read(file, range) }
    buffer.copyBytes(from: bytes)
  }

  private func read(
    _ file: Int, _ range: Range<Int>, _ receive: (ArraySlice<UInt8>) -> Void
  ) async throws {
    var position = range.lowerBound
    while position < range.upperBound {
      if let piece = piece(of: file, at: position) {
        let extent = pieces[piece].range
        let end = min(range.upperBound, extent.upperBound)
        let bytes = try await bytes(of: piece)
        receive(bytes[position - extent.lowerBound..<end - extent.lowerBound])
        use(piece, end - position)
        position = end
      } else {
        let end = min(range.upperBound, startOfPiece(of: file, after: position) ?? range.upperBound)
        receive(try await Self.fetch(files[file], position..<end)[...])
        position = end
      }
    }
  }

  /// The piece, not used up, that has the byte at an offset; the first one of the plan if there are more.
  private func piece(of file: Int, at offset: Int) -> Int? {
    state.withLock { state in
      candidates(of: file, at: offset).filter { state.left[$0] > 0 }.min()
    }
  }

  private func candidates(of file: Int, at offset: Int) -> [Int] {
    let order = index[file]
    // Pieces of one plan seldom overlap: those that begin before the offset, from the last one on.
    let end = order.partitioningIndex { pieces[$0].range.lowerBound > offset }
    return order[..<end].reversed().prefix(64).filter { pieces[$0].range.contains(offset) }
  }

  private func startOfPiece(of file: Int, after offset: Int) -> Int? {
    let order = index[file]
    let first = order.partitioningIndex { pieces[$0].range.lowerBound > offset }
    return first < order.count ? pieces[order[first]].range.lowerBound : nil
  }

  /// A piece's bytes, as soon as they are in.
  private func bytes(of piece: Int) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      let answer = state.withLock { state -> Result<[UInt8], any Error>? in
        if state.isClosed { return .failure(CancellationError()) }
        switch state.progress[piece] {
        case .ready(let bytes): return .success(bytes)
        case .failed(let error): return .failure(error)
        case .fetching(let task, var waiting):
          waiting.append(continuation)
          state.progress[piece] = .fetching(task, waiting: waiting)
        case .planned, .done:
          // Somebody waits: this one does not ask for room.
          start(piece, &state, waiting: [continuation])
        }
        return nil
      }
      if let answer { continuation.resume(with: answer) }
    }
  }

  /// Notes that bytes of a piece have been read; with the last one its memory is free.
  private func use(_ piece: Int, _ count: Int) {
    state.withLock { state in
      state.left[piece] -= count
      guard state.left[piece] <= 0, case .ready(let bytes) = state.progress[piece] else { return }
      state.progress[piece] = .done
      state.held -= bytes.count
    }
    fetchAhead()
  }

  // MARK: Fetching

  /// Asks for the next pieces as far as there is room.
  private func fetchAhead() {
    state.withLock { state in
      while !state.isClosed, state.next < pieces.count {
        if case .planned = state.progress[state.next] {
          let size = pieces[state.next].range.count
          guard state.held == 0 || state.held + size <= memory else { return }
          start(state.next, &state, waiting: [])
        }
        state.next += 1
      }
    }
  }

  private func start(
    _ piece: Int, _ state: inout State, waiting: [CheckedContinuation<[UInt8], any Error>]
  ) {
    let range = pieces[piece].range
    let file = files[pieces[piece].file]
    state.held += range.count
    state.peak = max(state.peak, state.held)
    let task = Task { [weak self] in
      let result: Result<[UInt8], any Error>
      do { result = .success(try await Self.fetch(file, range)) } catch { result = .failure(error) }
      self?.finish(piece, result)
    }
    state.progress[piece] = .fetching(task, waiting: waiting)
  }

  private func finish(_ piece: Int, _ result: Result<[UInt8], any Error>) {
    let waiting = state.withLock { state -> [CheckedContinuation<[UInt8], any Error>] in
      guard case .fetching(_, let waiting) = state.progress[piece] else { return [] }
      switch result {
      case .success(let bytes): state.progress[piece] = .ready(bytes)
      case .failure(let error):
        state.progress[piece] = .failed(error)
        state.held -= pieces[piece].range.count
      }
      return waiting
    }
    for reader in waiting { reader.resume(with: result) }
  }

  private static func fetch(_ file: RemoteFile, _ range: Range<Int>) async throws -> [UInt8] {
    try await file.repository.connection.permits.withPermit { try await file.bytes(range) }
  }
}

extension Array {
  /// Where the elements begin that `isAfter` holds for; all of those before must not have it.
  fileprivate func partitioningIndex(_ isAfter: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
