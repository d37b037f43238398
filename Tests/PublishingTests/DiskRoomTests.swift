// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Testing

@testable internal import Publishing

@Suite struct DiskRoomTests {
  @Test func `a later shard does not take the room of one before it`() async throws {
    let room = DiskRoom(10)
    let later = Task { try await room.acquire(5, turn: 1) }
    // Whether it has asked by now or not: the first one's turn comes first.
    for _ in 0..<1000 { await Task.yield() }
    try await room.acquire(8, turn: 0)
    await room.release(8)
    try await later.value
  }

  @Test func `a shard that was there already uses up its turn`() async throws {
    let room = DiskRoom(10)
    await room.occupy(4, turn: 0)
    try await room.acquire(6, turn: 1)
  }

  @Test func `one shard is let in whatever its size, and none after the end`() async throws {
    let room = DiskRoom(10)
    try await room.acquire(100, turn: 0)
    let waiting = Task { try await room.acquire(1, turn: 1) }
    for _ in 0..<1000 { await Task.yield() }
    await room.close(CancellationError())
    await #expect(throws: CancellationError.self) { try await waiting.value }
    await #expect(throws: CancellationError.self) { try await room.acquire(1, turn: 2) }
  }
}
