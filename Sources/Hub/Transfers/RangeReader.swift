// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Ranges of repository files, fetched ahead of those who read them.
///
/// The reads to come are announced in their order. As many of them as fit in memory are under way or waiting,
/// over all connections of the client, and of each range only so much as will be read soon, so that ranges
/// that are read side by side come side by side. What has come stays until its range is done with, and may be
/// read any number of times; when memory is short it goes to the spool, and if that is full it is let go
/// and, should it be read again, fetched again. Who reads something else than was expected is served at
/// once: none waits for what comes later. Broken connections and addresses that have expired are seen to
/// on the way.
///
/// Files are addressed by their commit, so that their content cannot change between two ranges, and each
/// reply's word on the file's length is compared with the listing. The digest of a file of which only
/// parts are read cannot be checked.
package final class RangeReader: Sendable {
  /// One file to read from.
  package struct Source: Sendable {
    package let repository: Repository
    package let path: String
    package let commit: CommitID
    /// Its length as the listing has it; nil if unknown.
    package let size: Int?

    package init(_ repository: Repository, _ path: String, at commit: CommitID, size: Int? = nil) {
      self.repository = repository
      self.path = path
      self.commit = commit
      self.size = size
    }
  }

  /// What a reader may take.
  package struct Limits: Sendable {
    /// Bytes to hold in memory at most, but for reads that somebody is waiting for.
    package var memory = 256 << 20
    /// Bytes of one request at most.
    package var pieceLength = 8 << 20

    package init() {}

    /// How many pieces of one range are fetched ahead of its reader.
    var depth: Int { max(1, memory / max(1, pieceLength) / 8) }
  }

  /// What has been done so far.
  package struct Statistics: Hashable, Sendable {
    /// Bytes asked for, over all requests.
    package var fetched = 0
    /// The most bytes that were held in memory at once.
    package var peakMemory = 0
    /// Pieces that went to the spool.
    package var spooled = 0
    /// Pieces that were let go and may have to be fetched again.
    package var dropped = 0
  }

  private typealias Waiter = BlockingWork.Answer<[UInt8]>

  private enum Progress {
    case absent
    case fetching(Task<Void, Never>, waiting: [Waiter])
    case ready([UInt8])
    /// On its way to the spool.
    case moving([UInt8])
    /// `readers` of it are at work.
    case spooled(slot: Int, readers: Int)
  }

  private struct PieceState {
    var progress = Progress.absent
    /// Bytes read since it came into memory; saturates at its length.
    var read = 0
    var isReached = false
    /// Whether nobody will read it again.
    var isDone = false
  }

  /// A range that will be read.
  private struct Announcement {
    let pieces: [Int]
    /// How many of them have been asked for, and how many have been read from.
    var started = 0
    var reached = 0
  }

  private struct State {
    var files: [RemoteFile] = []
    var plan: ReadPlan
    /// Of the plan's pieces.
    var pieces: [PieceState] = []
    var announcements: [Announcement] = []
    /// Bytes of the pieces that are under way or in memory.
    var held = 0
    /// Pieces that have been read once, the oldest first; some may be gone meanwhile.
    var movable: ArraySlice<Int> = []
    var statistics = Statistics()
    var isFillDue = false
    var isClosed = false
  }

  private let limits: Limits
  private let spool: Spool?
  private let state: Mutex<State>

  /// - Parameter spool: Where what does not fit in memory is kept; its slots hold a piece.
  package init(limits: Limits = Limits(), spool: Spool? = nil) {
    self.limits = limits
    self.spool = spool
    let length = max(1, min(limits.pieceLength, limits.memory))
    state = Mutex(State(plan: ReadPlan(pieceLength: length)))
  }

  deinit { close() }

  /// Takes up a file.
  ///
  /// - Returns: The number by which it is read.
  /// - Throws: `HubError` of kind `unsafePath`.
  package func add(_ source: Source) throws -> Int {
    let file = RemoteFile(
      source.repository, try SafePath.check(source.path), at: source.commit, size: source.size)
    return state.withLock { state in
      state.files.append(file)
      return state.files.count - 1
    }
  }

  /// Ends all requests; reads that are waiting fail with `CancellationError`.
  package func close() {
    let tasks = state.withLock { state -> [Task<Void, Never>] in
      state.isClosed = true
      return state.pieces.compactMap {
        if case .fetching(let task, _) = $0.progress { task } else { nil }
      }
    }
    for task in tasks { task.cancel() }
  }

  package var statistics: Statistics { state.withLock { $0.statistics } }

  // MARK: Announcing

  /// Says that a range will be read, perhaps more than once, after those that were announced before.
  package func willRead(_ file: Int, _ range: Range<Int>) {
    let isFillDue = state.withLock { state -> Bool in
      let present = state.pieces
      let pieces = state.plan.add(file, range) { piece in
        guard piece < present.count else { return true }
        return if case .absent = present[piece].progress { true } else { false }
      }
      while state.pieces.count < state.plan.pieces.count { state.pieces.append(PieceState()) }
      state.announcements.append(Announcement(pieces: pieces))
      defer { state.isFillDue = true }
      return !state.isFillDue
    }
    // A moment later: what is announced together may be joined.
    if isFillDue { Task { [weak self] in self?.fetchAhead() } }
  }

  /// Says that a range that was announced will not be read again.
  package func didRead(_ file: Int, _ range: Range<Int>) {
    state.withLock { state in
      for piece in state.plan.remove(file, range) {
        state.pieces[piece].isDone = true
        freeIfDone(piece, &state)
      }
    }
    fetchAhead()
  }

  private func freeIfDone(_ piece: Int, _ state: inout State) {
    guard state.pieces[piece].isDone else { return }
    switch state.pieces[piece].progress {
    case .ready(let bytes): state.held -= bytes.count
    case .spooled(let slot, readers: 0): spool?.free(slot)
    default: return
    }
    state.pieces[piece].progress = .absent
  }

  // MARK: Reading

  /// Fills a buffer with a file's bytes from `offset` on, while the calling thread waits; any number of
  /// threads may do so, but none that runs tasks.
  ///
  /// - Throws: `HubError`, `CancellationError`.
  package func read(_ file: Int, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws
  {
    var rest = buffer[...]
    var position = offset
    while !rest.isEmpty {
      let target = UnsafeMutableRawBufferPointer(rebasing: rest)
      let count =
        try readPiece(file, at: position, into: target)
        ?? readUnannounced(file, at: position, into: target)
      rest = rest.dropFirst(count)
      position += count
    }
  }

  /// Copies what the piece at a position has from there on; the number of bytes, or nil if there is none.
  private func readPiece(
    _ file: Int, at position: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws -> Int? {
    guard let (piece, range, content) = try content(of: file, at: position) else { return nil }
    let start = position - range.lowerBound
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(range.upperBound - position))
    switch content {
    case .memory(let bytes): target.copyBytes(from: bytes[start..<start + target.count])
    case .coming(let waiter):
      target.copyBytes(from: try waiter.wait().get()[start..<start + target.count])
    case .slot(let slot):
      defer { leave(piece) }
      try spool?.read(slot, into: target, at: start)
    }
    note(target.count, of: piece, length: range.count)
    return target.count
  }

  private enum Content {
    case memory([UInt8])
    case coming(Waiter)
    case slot(Int)
  }

  private func content(
    of file: Int, at position: Int
  ) throws -> (piece: Int, range: Range<Int>, Content)? {
    try state.withLock { state in
      if state.isClosed { throw CancellationError() }
      guard let piece = state.plan.piece(of: file, at: position) else { return nil }
      let range = state.plan.pieces[piece].range
      switch state.pieces[piece].progress {
      case .ready(let bytes), .moving(let bytes): return (piece, range, .memory(bytes))
      case .spooled(let slot, let readers):
        state.pieces[piece].progress = .spooled(slot: slot, readers: readers + 1)
        return (piece, range, .slot(slot))
      case .fetching(let task, let waiting):
        let waiter = Waiter()
        state.pieces[piece].progress = .fetching(task, waiting: waiting + [waiter])
        return (piece, range, .coming(waiter))
      case .absent:
        // Somebody waits: this one does not ask for room.
        let waiter = Waiter()
        start(piece, &state, waiting: [waiter])
        return (piece, range, .coming(waiter))
      }
    }
  }

  /// A reader of the spool is done with a piece.
  private func leave(_ piece: Int) {
    state.withLock { state in
      guard case .spooled(let slot, let readers) = state.pieces[piece].progress else { return }
      state.pieces[piece].progress = .spooled(slot: slot, readers: readers - 1)
      freeIfDone(piece, &state)
    }
  }

  /// Notes that bytes of a piece have been read: with the first those behind it are due, with the last it
  /// may give way to others.
  private func note(_ count: Int, of piece: Int, length: Int) {
    let hasNews = state.withLock { state -> Bool in
      let before = state.pieces[piece]
      state.pieces[piece].isReached = true
      state.pieces[piece].read = min(length, before.read + count)
      let isThrough = before.read < length && before.read + count >= length
      if isThrough { state.movable.append(piece) }
      return isThrough || !before.isReached
    }
    if hasNews { fetchAhead() }
  }

  /// What nobody has announced, or what is done with: the caller alone gets it.
  private func readUnannounced(
    _ file: Int, at position: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    let (remote, count) = state.withLock { state in
      let next = state.plan.startOfPiece(of: file, after: position) ?? .max
      let count = min(buffer.count, limits.pieceLength, next - position)
      state.statistics.fetched += count
      return (state.files[file], count)
    }
    let bytes = try BlockingWork.wait {
      try await Self.fetch(remote, position..<position + count)
    }
    buffer.copyBytes(from: bytes)
    return count
  }

  // MARK: Fetching

  /// Asks for the next pieces as far as there is room, and makes room where that can be.
  private func fetchAhead() {
    while let (piece, bytes) = state.withLock({ fill(&$0) }) { move(piece, bytes) }
  }

  /// Asks for pieces until memory is full.
  ///
  /// - Returns: A piece in memory that has to give way.
  private func fill(_ state: inout State) -> (piece: Int, bytes: [UInt8])? {
    state.isFillDue = false
    if state.isClosed { return nil }
    defer { state.announcements.removeAll { $0.started == $0.pieces.count } }
    for index in state.announcements.indices {
      while let piece = nextPiece(index, &state) {
        let size = state.plan.pieces[piece].range.count
        guard state.held == 0 || state.held + size <= limits.memory else {
          return nextMovable(&state)
        }
        start(piece, &state, waiting: [])
      }
    }
    return state.held > limits.memory ? nextMovable(&state) : nil
  }

  /// The next piece of an announced range that is not here; nil if its reader has enough for now.
  private func nextPiece(_ index: Int, _ state: inout State) -> Int? {
    let pieces = state.announcements[index].pieces
    while state.announcements[index].reached < pieces.count,
      state.pieces[pieces[state.announcements[index].reached]].isReached
    {
      state.announcements[index].reached += 1
    }
    while state.announcements[index].started < pieces.count {
      let started = state.announcements[index].started
      guard started < state.announcements[index].reached + limits.depth else { return nil }
      let piece = state.pieces[pieces[started]]
      if case .absent = piece.progress, !piece.isDone { return pieces[started] }
      state.announcements[index].started += 1
    }
    return nil
  }

  private func nextMovable(_ state: inout State) -> (piece: Int, bytes: [UInt8])? {
    while let piece = state.movable.popFirst() {
      if case .ready(let bytes) = state.pieces[piece].progress {
        state.pieces[piece].progress = .moving(bytes)
        return (piece, bytes)
      }
    }
    return nil
  }

  /// Takes a piece out of memory.
  private func move(_ piece: Int, _ bytes: [UInt8]) {
    let slot = spool?.keep(bytes)
    state.withLock { state in
      state.held -= bytes.count
      state.pieces[piece].read = 0
      if let slot {
        state.statistics.spooled += 1
        state.pieces[piece].progress = .spooled(slot: slot, readers: 0)
        freeIfDone(piece, &state)
      } else {
        state.statistics.dropped += 1
        state.pieces[piece].progress = .absent
      }
    }
  }

  private func start(_ piece: Int, _ state: inout State, waiting: [Waiter]) {
    let range = state.plan.pieces[piece].range
    let file = state.files[state.plan.pieces[piece].file]
    state.held += range.count
    state.statistics.peakMemory = max(state.statistics.peakMemory, state.held)
    state.statistics.fetched += range.count
    let task = Task { [weak self] in
      let result: Result<[UInt8], any Error>
      do { result = .success(try await Self.fetch(file, range)) } catch { result = .failure(error) }
      self?.finish(piece, range.count, result)
    }
    state.pieces[piece].progress = .fetching(task, waiting: waiting)
  }

  private func finish(_ piece: Int, _ count: Int, _ result: Result<[UInt8], any Error>) {
    let waiting = state.withLock { state -> [Waiter] in
      guard case .fetching(_, let waiting) = state.pieces[piece].progress else { return [] }
      switch result {
      case .success(let bytes):
        state.pieces[piece].progress = .ready(bytes)
        freeIfDone(piece, &state)
      case .failure:
        // Those who wait are told; whoever comes later may have more luck.
        state.pieces[piece].progress = .absent
        state.held -= count
      }
      return waiting
    }
    for reader in waiting { reader.give(result) }
  }

  private static func fetch(_ file: RemoteFile, _ range: Range<Int>) async throws -> [UInt8] {
    try await file.repository.connection.permits.withPermit { try await file.bytes(range) }
  }
}
