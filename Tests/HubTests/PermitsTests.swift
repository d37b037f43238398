// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Hub

@Suite struct PermitsTests {
  @Test func `their number grows with successes and halves when the server is busy`() async throws {
    let permits = Permits(8)
    #expect(permits.limit == 4)
    for _ in 0..<100 { try await permits.withPermit {} }
    #expect(permits.limit == 8)
    let now = ContinuousClock.now
    permits.cut(now: now)
    // Requests that were under way together fail together.
    permits.cut(now: now + .milliseconds(10))
    #expect(permits.limit == 4)
    for seconds in 2..<6 { permits.cut(now: now + .seconds(2 * seconds)) }
    #expect(permits.limit == 1)
    for _ in 0..<100 { try await permits.withPermit {} }
    #expect(permits.limit == 8)
  }

  @Test func `no more tasks go on at a time than there are permits`() async throws {
    let permits = Permits(4)
    let gauge = Gauge()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          try await permits.withPermit {
            gauge.rise()
            await Task.yield()
            gauge.fall()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(gauge.level == 0)
    #expect((1...4).contains(gauge.peak))
  }
}

/// How many are at work, and how many were at most.
private final class Gauge: Sendable {
  private let state = Mutex((level: 0, peak: 0))

  var level: Int { state.withLock { $0.level } }
  var peak: Int { state.withLock { $0.peak } }

  func rise() {
    state.withLock { state in
      state.level += 1
      state.peak = max(state.peak, state.level)
    }
  }

  func fall() { state.withLock { $0.level -= 1 } }
}
