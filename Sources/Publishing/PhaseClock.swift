// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What a job spent its time on.
package struct PhaseTime: Hashable, Sendable {
  package let phase: String
  package let seconds: Double
}

/// Takes the times of a job's phases. One that is entered again goes on; phases may overlap.
package final class PhaseClock: Sendable {
  private let times = Mutex<[PhaseTime]>([])

  package init() {}

  /// The phases in the order in which they first ended.
  package var phases: [PhaseTime] { times.withLock { $0 } }

  func measure<Result>(
    _ phase: String, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Result
  ) async rethrows -> Result {
    let started = ContinuousClock.now
    defer { add((ContinuousClock.now - started).seconds, to: phase) }
    return try await body()
  }

  func add(_ seconds: Double, to phase: String) {
    times.withLock { times in
      let known = times.firstIndex { $0.phase == phase }
      let before = known.map { times[$0].seconds } ?? 0
      let time = PhaseTime(phase: phase, seconds: before + seconds)
      if let known { times[known] = time } else { times.append(time) }
    }
  }
}
