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
    final class Counts: Sendable {
      let shared = Mutex((now: 0, most: 0))
    }
    let counts = Counts()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          try await permits.withPermit {
            counts.shared.withLock { counts in
              counts.now += 1
              counts.most = max(counts.most, counts.now)
            }
            await Task.yield()
            counts.shared.withLock { $0.now -= 1 }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(counts.shared.withLock { $0.now } == 0)
    #expect((1...4).contains(counts.shared.withLock { $0.most }))
  }
}
