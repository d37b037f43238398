// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Permits for which tasks wait in line; how many there are follows what the server bears.
///
/// It begins with half of them; each round of successes adds one, and a server that cannot keep up halves
/// them.
final class Permits: Sendable {
  private struct State {
    var limit: Int
    var used = 0
    /// Permits given back since the limit changed.
    var successes = 0
    var lastCut: ContinuousClock.Instant?
    var waiting: [(ticket: Cancellation, continuation: CheckedContinuation<Bool, Never>)] = []
  }

  private let most: Int
  private let state: Mutex<State>

  /// Requests that fail together are one failure.
  private static let pauseBetweenCuts = Duration.seconds(1)

  /// - Parameter most: How many there may be at any time.
  init(_ most: Int) {
    self.most = max(1, most)
    state = Mutex(State(limit: (self.most + 1) / 2))
  }

  /// How many tasks may hold one at this moment.
  var limit: Int { state.withLock { $0.limit } }

  /// The server has had too much: half as many from now on.
  func cut(now: ContinuousClock.Instant = .now) {
    state.withLock { state in
      if let last = state.lastCut, now - last < Self.pauseBetweenCuts { return }
      state.lastCut = now
      state.limit = max(1, state.limit / 2)
      state.successes = 0
    }
  }

  /// Runs `body` while holding a permit.
  ///
  /// - Throws: What `body` throws; `CancellationError` if the task is cancelled while it waits.
  func withPermit<Result: Sendable>(
    _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await acquire()
    defer { release() }
    return try await body()
  }

  private func acquire() async throws {
    let ticket = Cancellation()
    let isGranted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Bool? = state.withLock { state in
          if ticket.isCancelled { return false }
          if state.used < state.limit {
            state.used += 1
            return true
          }
          state.waiting.append((ticket, continuation))
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      // In this order: who joins the line after this sees the flag, who is in it already is found.
      ticket.cancel()
      let waiter = state.withLock { state in
        state.waiting.firstIndex { $0.ticket === ticket }.map { state.waiting.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: false)
    }
    guard isGranted else { throw CancellationError() }
  }

  private func release() {
    let next = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
      state.used -= 1
      state.successes += 1
      if state.successes >= state.limit, state.limit < most {
        state.limit += 1
        state.successes = 0
      }
      let granted = state.waiting.prefix(max(0, state.limit - state.used))
      state.waiting.removeFirst(granted.count)
      state.used += granted.count
      return granted.map(\.continuation)
    }
    for continuation in next { continuation.resume(returning: true) }
  }
}
