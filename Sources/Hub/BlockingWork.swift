// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Work that blocks, kept off the threads that run Swift's tasks.
package enum BlockingWork {
  private final class Job: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts a thread of its own; false if the system has none left.
  static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let job = Unmanaged.passRetained(Job(body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, job.toOpaque())
    guard code == 0 else {
      job.release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  /// The result of a task, for which the calling thread waits; never to be called inside of a task.
  package static func wait<Result: Sendable>(
    for body: @escaping @Sendable () async throws -> Result
  ) throws -> Result {
    let answer = Answer<Result>()
    Task {
      do { answer.give(.success(try await body())) } catch { answer.give(.failure(error)) }
    }
    return try answer.wait().get()
  }

  /// A result that one thread waits for and another one gives.
  final class Answer<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    /// Allocated, so that it stays where it is; semaphores are made to be shared by threads.
    nonisolated(unsafe) private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
      sem_destroy(semaphore)
      semaphore.deallocate()
    }

    func give(_ value: Result<Value, any Error>) {
      result.withLock { $0 = value }
      sem_post(semaphore)
    }

    func wait() -> Result<Value, any Error> {
      while true {
        if let value = result.withLock({ $0 }) { return value }
        sem_wait(semaphore)
      }
    }
  }

  /// The result of `body`, run on a thread of its own; `body` is told by its argument whether the task
  /// that waits for it has been cancelled.
  package static func run<Result: Sendable>(
    _ body: @escaping @Sendable (_ cancellation: Cancellation) throws -> Result
  ) async throws -> Result {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let work = { @Sendable in
          continuation.resume(with: Swift.Result { try body(cancellation) })
        }
        if !startThread(work) { work() }
      }
    } onCancel: {
      cancellation.cancel()
    }
  }
}
