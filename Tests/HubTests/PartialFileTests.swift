// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import Testing

@testable import Hub

@Suite struct PartialFileTests {
  private let folder: TemporaryFolder
  private var path: FilePath { folder.path.appending("x.partial") }

  init() throws { folder = try TemporaryFolder() }

  @Test func `ranges melt together and leave gaps`() {
    var ranges = ByteRanges()
    ranges.insert(10..<20)
    ranges.insert(30..<40)
    ranges.insert(5..<5)
    #expect(ranges.gaps(in: 0..<50) == [0..<10, 20..<30, 40..<50])
    ranges.insert(20..<30)
    #expect(ranges.ranges == [10..<40])
    ranges.insert(0..<100)
    #expect(ranges.ranges == [0..<100])
    #expect(ranges.gaps(in: 0..<50) == [])
    #expect(ranges.count == 100)
  }

  @Test func `what is written and noted is there after a restart`() throws {
    do {
      let file = try PartialFile(path, size: 100)
      try file.write(.init(start: nil, count: 0), at: 0)
      try file.record(0..<10)
      try file.record(50..<60)
    }
    let file = try PartialFile(path, size: 100)
    #expect(file.received == 20)
    #expect(file.missing(inPiecesOf: 30) == [10..<40, 40..<50, 60..<90, 90..<100])
  }

  @Test(arguments: ["0 10\n5", "0 10\n50 6"])
  func `a line that was cut off does not count`(_ journal: String) throws {
    _ = try PartialFile(path, size: 100)
    try FileSystem.write(journal, to: folder.path.appending("x.partial.journal"))
    #expect(try PartialFile(path, size: 100).received == 10)
  }

  @Test(arguments: ["0 101\n", "-1 5\n", "5 1\n", "x\n", "1 2 3\n", ""])
  func `a journal that makes no sense starts from the beginning`(_ journal: String) throws {
    _ = try PartialFile(path, size: 100)
    try FileSystem.write(journal, to: folder.path.appending("x.partial.journal"))
    #expect(try PartialFile(path, size: 100).received == 0)
  }

  @Test func `a file of another size starts from the beginning`() throws {
    try PartialFile(path, size: 100).record(0..<50)
    #expect(try PartialFile(path, size: 99).received == 0)
  }
}
