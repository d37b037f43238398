// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("A file that is read and written by position")
struct FileTests {
  @Test("Bytes written in any order are read back at their places")
  func writesInAnyOrder() throws {
    try withTemporaryFolder { folder in
      let file = try File(folder.appending("a"), .create)
      try file.write([4, 5, 6], at: 3)
      try file.write([1, 2, 3], at: 0)
      #expect(try file.bytes(at: 0, count: 6) == [1, 2, 3, 4, 5, 6])
      #expect(try file.bytes(at: 2, count: 3) == [3, 4, 5])
      #expect(try file.bytes(at: 6, count: 0) == [])
      #expect(try file.size == 6)
    }
  }

  @Test("Reading past the end fails and says so")
  func readsPastTheEnd() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a")
      try FileSystem.write("abc", to: path)
      let file = try File(path, .read)
      let error = #expect(throws: StorageError.self) { try file.bytes(at: 1, count: 3) }
      #expect(error?.detail == "the file ends too early")
      #expect(error?.path == path)
    }
  }

  @Test("A file opened for reading cannot be written")
  func readOnly() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a")
      try FileSystem.write("abc", to: path)
      let file = try File(path, .read)
      #expect(throws: StorageError.self) { try file.write([1], at: 0) }
      #expect(try FileSystem.read(path) == Array("abc".utf8))
    }
  }

  @Test("Access decides what may exist")
  func access() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a")
      let missing = #expect(throws: StorageError.self) { try File(path, .update) }
      #expect(missing?.isNotFound == true)
      #expect(throws: StorageError.self) { try File(path, .read) }
      try File(path, .create).write([1, 2], at: 0)
      let taken = #expect(throws: StorageError.self) { try File(path, .create) }
      #expect(taken?.errno == .fileExists)
      #expect(taken?.operation == "create")
      #expect(try File(path, .createOrUpdate).size == 2)
      try File(path, .update).write([9], at: 0)
      #expect(try FileSystem.read(path) == [9, 2])
    }
  }

  @Test("Allocated space is part of the file, reads as zero, and keeps what is there")
  func allocates() throws {
    try withTemporaryFolder { folder in
      let file = try File(folder.appending("a"), .create)
      try file.write([7], at: 0)
      try file.allocate(10_000)
      #expect(try file.size == 10_000)
      #expect(try file.bytes(at: 0, count: 2) == [7, 0])
      #expect(try file.bytes(at: 9_999, count: 1) == [0])
      try file.truncate(to: 1)
      #expect(try file.size == 1)
    }
  }

  @Test("Space that no disk has cannot be allocated")
  func allocatesTooMuch() throws {
    try withTemporaryFolder { folder in
      let file = try File(folder.appending("a"), .create)
      #expect(throws: StorageError.self) { try file.allocate(1 << 60) }
    }
  }

  @Test("Bytes are copied from one place of a file to another of a second")
  func copiesRanges() throws {
    try withTemporaryFolder { folder in
      let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
      try FileSystem.write(bytes, to: folder.appending("a"))
      let source = try File(folder.appending("a"), .read)
      let target = try File(folder.appending("b"), .create)
      try target.copy(from: source, at: 70_001, to: 13, count: 20_003)
      #expect(try target.size == 13 + 20_003)
      #expect(try target.bytes(at: 13, count: 20_003) == Array(bytes[70_001..<90_004]))
      try target.copy(from: source, at: 0, to: 0, count: 0)
      let error = #expect(throws: StorageError.self) {
        try target.copy(from: source, at: 99_999, to: 0, count: 2)
      }
      #expect(error?.detail == "the file ends too early")
    }
  }

  @Test("Many tasks write one file at once without disturbing each other")
  func writesConcurrently() async throws {
    try await withTemporaryFolder { folder in
      let file = try File(folder.appending("a"), .create)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for part in 0..<16 {
          group.addTask {
            try file.write([UInt8](repeating: UInt8(part), count: 1_000), at: part * 1_000)
          }
        }
        try await group.waitForAll()
      }
      let expected = (0..<16).flatMap { [UInt8](repeating: UInt8($0), count: 1_000) }
      #expect(try file.bytes(at: 0, count: 16_000) == expected)
    }
  }
}
