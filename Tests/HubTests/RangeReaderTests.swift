// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Hub

@Suite struct RangeReaderTests {
  private let a = noise(300_000)
  private let b = noise(200_000, seed: 2)

  private struct Read: Sendable {
    let file: Int
    let range: Range<Int>
  }

  /// Reads from a hub that lives as long as `body` runs; `plan` is announced.
  private func withReader(
    _ plan: [Read], fault: OneModelHub.Fault? = nil, memory: Int = 1 << 20,
    pieceLength: Int = 20_000, spool: Int? = nil, listedSize: Int? = nil, retries: Int = 5,
    _ body: (RangeReader, OneModelHub) async throws -> Void
  ) async throws {
    let hub = OneModelHub(["a.bin": a, "b.bin": b], large: ["a.bin", "b.bin"], fault: fault)
    defer { withExtendedLifetime(hub) {} }
    let model = try HubClient(.testing(hub.hub.origin, retries: retries)).model("acme/one")
    let commit = try #require(CommitID(OneModelHub.commit))
    let folder = try TemporaryFolder()
    var limits = RangeReader.Limits()
    limits.memory = memory
    limits.pieceLength = pieceLength
    let reader = RangeReader(
      limits: limits,
      spool: try spool.map { try Spool(in: folder.path, limit: $0, slotSize: pieceLength) })
    for (number, path) in ["a.bin", "b.bin"].enumerated() {
      let size = number == 0 ? listedSize ?? a.count : b.count
      #expect(try reader.add(.init(model, path, at: commit, size: size)) == number)
    }
    for read in plan { reader.willRead(read.file, read.range) }
    try await body(reader, hub)
  }

  /// Reads on a thread that may wait.
  private func read(_ reader: RangeReader, _ file: Int, _ range: Range<Int>) async throws -> [UInt8]
  {
    try await BlockingWork.run { _ in
      var bytes = [UInt8](repeating: 0, count: range.count)
      try bytes.withUnsafeMutableBytes { try reader.read(file, into: $0, at: range.lowerBound) }
      return bytes
    }
  }

  /// Reads a range, which has to come as it is in the file.
  private func check(_ reader: RangeReader, _ file: Int, _ range: Range<Int>) async throws {
    let bytes = try await read(reader, file, range)
    #expect(bytes == Array(source(file)[range]))
  }

  /// The bytes that were asked for, over all requests.
  private func fetched(_ hub: OneModelHub) -> Int {
    hub.store.requests.compactMap(\.range).reduce(0) { $0 + $1.count }
  }

  private func source(_ file: Int) -> [UInt8] { file == 0 ? a : b }

  /// Tensors of two models, one after the other, as a merge reads them.
  private let interleaved = (0..<40).flatMap { index in
    [
      Read(file: 0, range: index * 5000..<index * 5000 + 4000),
      Read(file: 1, range: index * 5000..<(index + 1) * 5000),
    ]
  }

  @Test(arguments: [
    nil, OneModelHub.Fault.cutsBodies(5), .expires, .ignoresRanges,
    .answers(503, headers: [], times: 3),
    .answers(429, headers: ["RateLimit: \"resolvers\";r=0;t=0"], times: 1),
  ])
  func `planned reads get their bytes`(_ fault: OneModelHub.Fault?) async throws {
    try await withReader(interleaved, fault: fault) { reader, _ in
      for planned in interleaved {
        try await check(reader, planned.file, planned.range)
      }
    }
  }

  @Test func `memory stays bounded however long the plan is`() async throws {
    let plan = stride(from: 0, to: 300_000, by: 10_000).map {
      Read(file: 0, range: $0..<$0 + 10_000)
    }
    try await withReader(plan, memory: 50_000, pieceLength: 10_000) { reader, hub in
      for _ in 0..<500 where hub.store.requests.count < 5 {
        try await Task.sleep(for: .milliseconds(20))
      }
      try await Task.sleep(for: .milliseconds(100))
      // Nothing has been read yet: only what fits has been asked for.
      #expect(hub.store.requests.count == 5)
      for planned in plan {
        try await check(reader, 0, planned.range)
        reader.didRead(0, planned.range)
      }
      #expect(reader.statistics.peakMemory <= 50_000)
      #expect(hub.store.requests.count == 30)
    }
  }

  @Test func `neighbours that wait for room come by one request`() async throws {
    let first = Read(file: 1, range: 0..<20_000)
    let plan = (0..<20).map { Read(file: 0, range: $0 * 1000..<($0 + 1) * 1000) }
    try await withReader([first] + plan, memory: 20_000) { reader, hub in
      try await check(reader, 1, first.range)
      reader.didRead(1, first.range)
      for planned in plan { try await check(reader, 0, planned.range) }
      let asked = hub.store.requests.filter { $0.path.hasSuffix("a.bin") }
      #expect(asked.compactMap(\.range) == [0...19_999])
    }
  }

  @Test func `a long range is read in parts of any length`() async throws {
    try await withReader([Read(file: 0, range: 100..<300_000)], memory: 60_000) {
      reader, hub in
      var bytes: [UInt8] = []
      while bytes.count < 299_900 {
        let start = 100 + bytes.count
        let range = start..<min(start + 7777, 300_000)
        bytes += try await read(reader, 0, range)
      }
      #expect(bytes == Array(a[100...]))
      #expect(hub.store.requests.count == 15)
      #expect(reader.statistics.peakMemory <= 60_000)
    }
  }

  @Test func `several passes fetch once: what does not fit in memory goes to the spool`()
    async throws
  {
    let plan = [Read(file: 0, range: 0..<300_000), Read(file: 1, range: 0..<200_000)]
    try await withReader(plan, memory: 100_000, spool: 1 << 20) { reader, hub in
      for _ in 0..<3 {
        for start in stride(from: 0, to: 300_000, by: 30_000) {
          let other = start * 2 / 3
          try await check(reader, 0, start..<start + 30_000)
          try await check(reader, 1, other..<other + 20_000)
        }
      }
      for read in plan { reader.didRead(read.file, read.range) }
      #expect(fetched(hub) == 500_000)
      #expect(reader.statistics.fetched == 500_000)
      #expect(reader.statistics.spooled > 0)
      #expect(reader.statistics.dropped == 0)
      // One piece more for each read that went ahead of the window.
      #expect(reader.statistics.peakMemory <= 140_000)
    }
  }

  @Test(arguments: [nil, 60_000])
  func `without room in the spool what is read again is fetched again`(_ spool: Int?) async throws {
    try await withReader(
      [Read(file: 0, range: 0..<300_000)], memory: 100_000, spool: spool
    ) { reader, hub in
      for _ in 0..<2 {
        for start in stride(from: 0, to: 300_000, by: 10_000) {
          try await check(reader, 0, start..<start + 10_000)
        }
      }
      #expect(reader.statistics.dropped > 0)
      #expect(fetched(hub) > 300_000)
    }
  }

  @Test func `what is announced twice comes once`() async throws {
    let layer = Read(file: 0, range: 0..<20_000)
    let other = Read(file: 1, range: 0..<20_000)
    try await withReader([layer, other, layer]) { reader, hub in
      for planned in [layer, other, layer] {
        try await check(reader, planned.file, planned.range)
      }
      #expect(fetched(hub) == 40_000)
    }
  }

  @Test func `ranges that are read side by side come side by side`() async throws {
    let plan = [Read(file: 0, range: 0..<300_000), Read(file: 1, range: 0..<200_000)]
    try await withReader(plan, memory: 400_000) { _, hub in
      for _ in 0..<500 where hub.store.requests.count < 4 {
        try await Task.sleep(for: .milliseconds(20))
      }
      try await Task.sleep(for: .milliseconds(100))
      // Two pieces of each: the rest when their reader comes nearer.
      let asked = hub.store.requests.map { "\($0.path) \($0.range?.lowerBound ?? -1)" }
      #expect(
        asked.sorted()
          == ["/store/a.bin 0", "/store/a.bin 20000", "/store/b.bin 0", "/store/b.bin 20000"])
    }
  }

  @Test func `the last read of the plan does not wait for those before it`() async throws {
    try await withReader(interleaved, memory: 20_000, pieceLength: 5000) {
      reader, _ in
      for planned in interleaved.reversed() {
        try await check(reader, planned.file, planned.range)
      }
    }
  }

  @Test func `what was not planned, or is read after its release, comes too`() async throws {
    try await withReader([Read(file: 0, range: 1000..<2000)]) { reader, _ in
      for range in [0..<3000, 1000..<2000, 1500..<1600, 299_990..<300_000] {
        try await check(reader, 0, range)
        reader.didRead(0, range)
      }
    }
  }

  @Test(arguments: [nil, 400_000])
  func `several threads read at once, waiting for their bytes`(_ spool: Int?) async throws {
    let (plan, contents) = (interleaved, [a, b])
    let right = Counter()
    try await withReader(plan, memory: 60_000, spool: spool) { reader, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<4 {
          group.addTask {
            try await BlockingWork.run { _ in
              for pass in 0..<2 {
                for index in stride(from: worker, to: plan.count, by: 4) {
                  let read = plan[index]
                  var bytes = [UInt8](repeating: 0, count: read.range.count)
                  try bytes.withUnsafeMutableBytes {
                    try reader.read(read.file, into: $0, at: read.range.lowerBound)
                  }
                  if bytes == Array(contents[read.file][read.range]) { _ = right.next() }
                  if pass == 1 { reader.didRead(read.file, read.range) }
                }
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(right.next() == 2 * plan.count + 1)
  }

  @Test func `a failure reaches who reads`() async throws {
    try await withReader(
      interleaved, fault: .answers(404, headers: [], times: 1000)
    ) { reader, _ in
      await #expect(throws: HubError.self) { try await read(reader, 0, 0..<4000) }
    }
  }

  @Test func `what failed ahead of time is tried again when it is needed`() async throws {
    try await withReader(
      [Read(file: 0, range: 0..<20_000)],
      fault: .answers(503, headers: [], times: 1), retries: 0
    ) { reader, hub in
      for _ in 0..<500 where hub.store.requests.isEmpty {
        try await Task.sleep(for: .milliseconds(20))
      }
      try await Task.sleep(for: .milliseconds(100))
      try await check(reader, 0, 0..<20_000)
    }
  }

  @Test func `a file of another length than was listed is not the one that was planned`()
    async throws
  {
    try await withReader([Read(file: 0, range: 0..<20_000)], listedSize: 300_001) {
      reader, _ in
      let error = await #expect(throws: HubError.self) { try await read(reader, 0, 0..<20_000) }
      guard case .unexpectedReply = error?.kind else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test func `closing ends the waiting`() async throws {
    try await withReader(interleaved, fault: .drips(1000)) { reader, _ in
      let task = Task { try await read(reader, 0, 0..<4000) }
      try await Task.sleep(for: .milliseconds(100))
      reader.close()
      await #expect(throws: CancellationError.self) { try await task.value }
      await #expect(throws: CancellationError.self) { try await read(reader, 0, 0..<4000) }
    }
  }

  @Test func `requests are cut at the limit and joined only over small gaps`() {
    var plan = ReadPlan(pieceLength: 100)
    let isOpen = { (piece: Int) in piece != 3 }
    #expect(plan.add(0, 0..<250, isOpen: isOpen) == [0, 1, 2])
    #expect(plan.add(1, 0..<10, isOpen: isOpen) == [3])
    #expect(plan.add(0, 250..<300, isOpen: isOpen) == [2])
    #expect(plan.add(0, 1_000_000..<1_000_010, isOpen: isOpen) == [4])
    #expect(plan.add(1, 5..<15, isOpen: isOpen) == [5])
    #expect(plan.add(1, 15..<20, isOpen: { ![3, 5].contains($0) }) == [6])
    #expect(plan.add(1, 40..<40, isOpen: isOpen) == [])
    #expect(plan.add(1, 0..<10, isOpen: isOpen) == [3])
    #expect(
      plan.pieces.map(\.range)
        == [0..<100, 100..<200, 200..<300, 0..<10, 1_000_000..<1_000_010, 5..<15, 15..<20])
    #expect(plan.pieces.map(\.left) == [100, 100, 100, 10, 10, 10, 5])

    #expect(plan.piece(of: 0, at: 299) == 2)
    #expect(plan.piece(of: 0, at: 300) == nil)
    #expect(plan.startOfPiece(of: 0, after: 300) == 1_000_000)
    #expect(plan.startOfPiece(of: 2, after: 0) == nil)
    #expect(plan.remove(1, 0..<10) == [3])
    #expect(plan.remove(1, 0..<10) == [])
    #expect(plan.piece(of: 1, at: 7) == 5)
    #expect(plan.remove(0, 0..<250) == [0, 1])
    #expect(plan.piece(of: 0, at: 50) == nil)
    #expect(plan.remove(0, 250..<300) == [2])
  }
}
