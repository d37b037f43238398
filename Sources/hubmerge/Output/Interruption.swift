// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Ctrl-C and termination: the running job is cancelled and cleans up after itself; a second signal ends the
/// program at once.
enum Interruption {
  private struct State {
    var cancel: (@Sendable () -> Void)?
    var signal: Int32?
  }

  private static let state = Mutex(State())

  /// The signal that ended the job, if one did.
  static var received: Int32? { state.withLock { $0.signal } }

  /// Has signals wait for our own thread.
  static func prepare() {
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    // Other threads may be hit all the same: while the main thread serves the concurrency runtime, it takes
    // every signal. Sent again from there, where it is blocked meanwhile, a signal goes to the thread that waits.
    for number in [SIGINT, SIGTERM] { _ = Glibc.signal(number) { kill(getpid(), $0) } }
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        Interruption.listen()
        return nil
      }, nil)
    pthread_detach(thread)
  }

  private static func listen() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    while true {
      var number: Int32 = 0
      guard sigwait(&signals, &number) == 0 else { continue }
      let cancel = state.withLock { state -> (@Sendable () -> Void)? in
        if state.signal != nil { return nil }
        state.signal = number
        return state.cancel
      }
      if let cancel { cancel() } else { _exit(128 + number) }
    }
  }

  /// Runs a job that signals cancel.
  static func guarding<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let task = Task(operation: body)
    state.withLock { $0.cancel = { task.cancel() } }
    defer { state.withLock { $0.cancel = nil } }
    return try await task.value
  }
}
