// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Whether a task has been cancelled, as told to work that runs outside of tasks.
package final class Cancellation: Sendable {
  private let flag = Atomic(false)

  package var isCancelled: Bool { flag.load(ordering: .acquiring) }

  package func cancel() { flag.store(true, ordering: .releasing) }

  /// - Throws: `CancellationError` after `cancel()`.
  func check() throws(CancellationError) {
    if isCancelled { throw CancellationError() }
  }
}
