// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Hub

@Suite struct RangeReaderTests {
  private let a = noise(300_000)
  private let b = noise(200_000, seed: 2)

  /// Reads from a hub that lives as long as `body` runs.
  private func withReader(
    _ plan: [PlannedRead], fault: OneModelHub.Fault? = nil, memory: Int = 1 << 20,
    pieceLength: Int = 20_000, _ body: (RangeReader, OneModelHub) async throws -> Void
  ) async throws {
    let hub = OneModelHub(["a.bin": a, "b.bin": b], large: ["a.bin", "b.bin"], fault: fault)
    defer { withExtendedLifetime(hub) {} }
    let model = try HubClient(.testing(hub.hub.origin)).model("acme/one")
    let commit = try #require(CommitID(OneModelHub.commit))
    let reader = try RangeReader(
      [.init(model, "a.bin", at: commit), .init(model, "b.bin", at: commit)], plan: plan,
      memory: memory, pieceLength: pieceLength)
    try await body(reader, hub)
  }

  private func source(_ file: Int) -> [UInt8] { file == 0 ? a : b }

  /// Tensors of two models, one after the other, as a merge reads them.
  private let interleaved = (0..<40).flatMap { index in
    [
      PlannedRead(file: 0, range: index * 5000..<index * 5000 + 4000),
      PlannedRead(file: 1, range: index * 5000..<(index + 1) * 5000),
    ]
  }

  @Test(arguments: [
    nil, OneModelHub.Fault.cutsBodies(5), .expires, .ignoresRanges,
    .answers(503, headers: [], times: 3),
  ])
  func `planned reads get their bytes`(_ fault: OneModelHub.Fault?) async throws {
    try await withReader(interleaved, fault: fault) { reader, _ in
      for read in interleaved {
        let bytes = try await reader.read(read.file, read.range)
        #expect(bytes == Array(source(read.file)[read.range]))
      }
    }
  }

  @Test func `memory stays bounded however long the plan is`() async throws {
    let plan = stride(from: 0, to: 300_000, by: 10_000).map {
      PlannedRead(file: 0, range: $0..<$0 + 10_000)
    }
    try await withReader(plan, memory: 50_000, pieceLength: 10_000) { reader, hub in
      for _ in 0..<500 where hub.store.requests.count < 5 {
        try await Task.sleep(for: .milliseconds(20))
      }
      try await Task.sleep(for: .milliseconds(100))
      // Nothing has been read yet: only what fits has been asked for.
      #expect(hub.store.requests.count == 5)
      for read in plan { _ = try await reader.read(0, read.range) }
      #expect(reader.peakMemory <= 50_000)
      #expect(hub.store.requests.count == 30)
    }
  }

  @Test func `neighbours come by one request`() async throws {
    let plan = (0..<20).map { PlannedRead(file: 0, range: $0 * 1000..<($0 + 1) * 1000) }
    try await withReader(plan) { reader, hub in
      for read in plan { _ = try await reader.read(0, read.range) }
      #expect(hub.store.requests.compactMap(\.range) == [0...19_999])
    }
  }

  @Test func `a long range is read in parts of any length`() async throws {
    try await withReader([PlannedRead(file: 0, range: 100..<300_000)], memory: 60_000) {
      reader, hub in
      var bytes: [UInt8] = []
      while bytes.count < 299_900 {
        let start = 100 + bytes.count
        bytes += try await reader.read(0, start..<min(start + 7777, 300_000))
      }
      #expect(bytes == Array(a[100...]))
      #expect(hub.store.requests.count == 15)
      #expect(reader.peakMemory <= 60_000)
    }
  }

  @Test func `the last read of the plan does not wait for those before it`() async throws {
    try await withReader(interleaved, memory: 20_000, pieceLength: 5000) { reader, _ in
      for read in interleaved.reversed() {
        let bytes = try await reader.read(read.file, read.range)
        #expect(bytes == Array(source(read.file)[read.range]))
      }
    }
  }

  @Test func `what was not planned, or is read again, comes too`() async throws {
    try await withReader([PlannedRead(file: 0, range: 1000..<2000)]) { reader, _ in
      for range in [0..<3000, 1000..<2000, 1500..<1600, 299_990..<300_000] {
        let bytes = try await reader.read(0, range)
        #expect(bytes == Array(a[range]))
      }
    }
  }

  @Test func `several threads read at once, waiting for their bytes`() async throws {
    let (plan, contents) = (interleaved, [a, b])
    let right = Counter()
    try await withReader(plan, memory: 60_000) { reader, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<4 {
          group.addTask {
            try await BlockingWork.run { _ in
              for index in stride(from: worker, to: plan.count, by: 4) {
                let read = plan[index]
                var bytes = [UInt8](repeating: 0, count: read.range.count)
                try bytes.withUnsafeMutableBytes {
                  try reader.read(read.file, into: $0, at: read.range.lowerBound)
                }
                if bytes == Array(contents[read.file][read.range]) { _ = right.next() }
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(right.next() == plan.count + 1)
  }

  @Test func `a failure reaches who reads`() async throws {
    try await withReader(interleaved, fault: .answers(404, headers: [], times: 1000)) { reader, _ in
      await #expect(throws: HubError.self) { try await reader.read(0, 0..<4000) }
    }
  }

  @Test func `closing ends the waiting`() async throws {
    try await withReader(interleaved, fault: .drips(1000)) { reader, _ in
      let task = Task { try await reader.read(0, 0..<4000) }
      try await Task.sleep(for: .milliseconds(100))
      reader.close()
      await #expect(throws: CancellationError.self) { try await task.value }
      await #expect(throws: CancellationError.self) { try await reader.read(0, 0..<4000) }
    }
  }

  @Test func `requests are cut at the limit and joined only over small gaps`() {
    let plan = ReadPlan(
      [
        PlannedRead(file: 0, range: 0..<250), PlannedRead(file: 1, range: 0..<10),
        PlannedRead(file: 0, range: 250..<300), PlannedRead(file: 0, range: 1_000_000..<1_000_010),
        PlannedRead(file: 1, range: 5..<15), PlannedRead(file: 1, range: 40..<40),
      ], pieceLength: 100)
    #expect(
      plan.pieces == [
        .init(file: 0, range: 0..<100, wanted: 100), .init(file: 0, range: 100..<200, wanted: 100),
        .init(file: 0, range: 200..<300, wanted: 100), .init(file: 1, range: 0..<10, wanted: 10),
        .init(file: 0, range: 1_000_000..<1_000_010, wanted: 10),
        .init(file: 1, range: 5..<15, wanted: 10),
      ])
  }
}
