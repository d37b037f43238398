// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The entries of a zip archive that only stores and does not compress, as `torch.save` writes it.
///
/// The archive has to fill the whole file, and both of each entry's headers have to agree: what other readers
/// might see differently is refused.
/// Source: APPNOTE.TXT, the format description by PKWARE, sections 4.3 to 4.5.
struct ZipDirectory {
  struct Entry {
    let name: String
    /// Where its bytes are in the file.
    let range: Range<Int>
  }

  let entries: [Entry]

  private struct Record {
    let name: String
    let size: Int
    let headerOffset: Int
  }

  private static let maximumCount = 1_000_000
  private static let endSize = 22
  private static let locatorSize = 20
  private static let wideEndSize = 56
  private static let localSize = 30

  init(size: Int, reading read: (Range<Int>) throws -> [UInt8]) throws {
    let directory = try Self.directory(size: size, read)
    var cursor = ByteCursor(try read(directory.range))
    var records: [Record] = []
    var names: Set<String> = []
    for _ in 0..<directory.count {
      let record = try Self.record(&cursor)
      guard names.insert(record.name).inserted else {
        throw TorchFault.duplicateEntry(record.name)
      }
      records.append(record)
    }
    guard cursor.remaining == 0 else { throw TorchFault.notWhole }

    records.sort { $0.headerOffset < $1.headerOffset }
    guard records.first?.headerOffset ?? 0 == 0 else { throw TorchFault.notWhole }
    var entries: [Entry] = []
    var end = 0
    for record in records {
      guard record.headerOffset >= end else { throw TorchFault.overlapping(record.name) }
      let entry = try Self.entry(record, limit: directory.range.lowerBound, read)
      entries.append(entry)
      end = entry.range.upperBound
    }
    self.entries = entries
  }

  // MARK: The end records

  private static func directory(size: Int, _ read: (Range<Int>) throws -> [UInt8]) throws
    -> (range: Range<Int>, count: Int)
  {
    guard size >= endSize else { throw TorchFault.truncated }
    var end = ByteCursor(try read(size - endSize..<size))
    guard try end.number(UInt32.self) == 0x0605_4b50 else { throw TorchFault.notWhole }
    guard try end.number(UInt32.self) == 0 else { throw TorchFault.notWhole }
    let countOnDisk = try end.count(UInt16.self)
    var count = try end.count(UInt16.self)
    var length = try end.count(UInt32.self)
    var start = try end.count(UInt32.self)
    guard countOnDisk == count, try end.number(UInt16.self) == 0 else { throw TorchFault.notWhole }

    var directoryEnd = size - endSize
    if let wide = try wideEnd(before: directoryEnd, read) {
      // What does not fit the narrow record is saturated there; the rest has to agree.
      guard count == 0xffff || count == wide.count,
        length == 0xffff_ffff || length == wide.length,
        start == 0xffff_ffff || start == wide.start
      else { throw TorchFault.notWhole }
      (count, length, start) = (wide.count, wide.length, wide.start)
      directoryEnd -= locatorSize + wideEndSize
    }
    guard count <= maximumCount, length <= maximumCount * 256 else {
      throw TorchFault.tooManyEntries(count)
    }
    guard start <= directoryEnd, directoryEnd - start == length else { throw TorchFault.notWhole }
    return (start..<directoryEnd, count)
  }

  private static func wideEnd(before end: Int, _ read: (Range<Int>) throws -> [UInt8]) throws
    -> (count: Int, length: Int, start: Int)?
  {
    let size = locatorSize + wideEndSize
    guard end >= size else { return nil }
    var cursor = ByteCursor(try read(end - size..<end))
    var locator = cursor
    _ = try locator.take(wideEndSize)
    guard try locator.number(UInt32.self) == 0x0706_4b50 else { return nil }
    guard try locator.number(UInt32.self) == 0, try locator.count(UInt64.self) == end - size,
      try locator.number(UInt32.self) <= 1, try cursor.number(UInt32.self) == 0x0606_4b50,
      try cursor.count(UInt64.self) == wideEndSize - 12
    else { throw TorchFault.notWhole }
    _ = try cursor.take(4)
    guard try cursor.number(UInt64.self) == 0 else { throw TorchFault.notWhole }
    let countOnDisk = try cursor.count(UInt64.self)
    let count = try cursor.count(UInt64.self)
    guard count == countOnDisk else { throw TorchFault.notWhole }
    return (count, try cursor.count(UInt64.self), try cursor.count(UInt64.self))
  }

  // MARK: Entries

  private static func record(_ cursor: inout ByteCursor) throws(TorchFault) -> Record {
    guard try cursor.number(UInt32.self) == 0x0201_4b50 else { throw .notWhole }
    _ = try cursor.take(4)
    let flags = try cursor.number(UInt16.self)
    let method = try cursor.number(UInt16.self)
    _ = try cursor.take(8)
    var packed = try cursor.count(UInt32.self)
    var size = try cursor.count(UInt32.self)
    let nameLength = try cursor.count(UInt16.self)
    let extraLength = try cursor.count(UInt16.self)
    let commentLength = try cursor.count(UInt16.self)
    let disk = try cursor.number(UInt16.self)
    _ = try cursor.take(6)
    var offset = try cursor.count(UInt32.self)
    let name = try cursor.text(nameLength)
    var extra = ByteCursor(Array(try cursor.take(extraLength)))
    _ = try cursor.take(commentLength)

    try checkName(name)
    guard flags & 0x2041 == 0 else { throw .encrypted(name) }
    guard method == 0 else { throw .compressed(name) }
    guard disk == 0 else { throw .notWhole }
    while extra.remaining >= 4 {
      let kind = try extra.number(UInt16.self)
      var field = ByteCursor(Array(try extra.take(try extra.count(UInt16.self))))
      guard kind == 1 else { continue }
      // Only what is saturated in the record itself is here, in this order.
      if size == 0xffff_ffff { size = try field.count(UInt64.self) }
      if packed == 0xffff_ffff { packed = try field.count(UInt64.self) }
      if offset == 0xffff_ffff { offset = try field.count(UInt64.self) }
    }
    guard packed == size else { throw .headerMismatch(name) }
    return Record(name: name, size: size, headerOffset: offset)
  }

  private static func checkName(_ name: String) throws(TorchFault) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isSafe =
      !name.isEmpty && !name.hasPrefix("/") && !parts.contains("..")
      && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "\\") }
    guard isSafe else { throw .unsafeName(name) }
  }

  /// Checks the header in front of an entry's bytes.
  ///
  /// - Parameter limit: Where the directory begins.
  private static func entry(
    _ record: Record, limit: Int, _ read: (Range<Int>) throws -> [UInt8]
  ) throws -> Entry {
    let name = Array(record.name.utf8)
    let headerEnd = localSize + name.count
    guard record.headerOffset <= limit, headerEnd <= limit - record.headerOffset else {
      throw TorchFault.overlapping(record.name)
    }
    var cursor = ByteCursor(
      try read(record.headerOffset..<record.headerOffset + headerEnd))
    guard try cursor.number(UInt32.self) == 0x0403_4b50 else {
      throw TorchFault.headerMismatch(record.name)
    }
    _ = try cursor.take(2)
    let hasSizesBehind = try cursor.number(UInt16.self) & 8 != 0
    let method = try cursor.number(UInt16.self)
    _ = try cursor.take(8)
    let packed = try cursor.count(UInt32.self)
    let size = try cursor.count(UInt32.self)
    let nameLength = try cursor.count(UInt16.self)
    let extraLength = try cursor.count(UInt16.self)
    let agrees = { (stated: Int) in
      stated == record.size || stated == 0xffff_ffff || (stated == 0 && hasSizesBehind)
    }
    guard method == 0, nameLength == name.count, agrees(packed), agrees(size),
      try cursor.take(nameLength).elementsEqual(name)
    else { throw TorchFault.headerMismatch(record.name) }
    let start = record.headerOffset + headerEnd + extraLength
    guard start <= limit, record.size <= limit - start else {
      throw TorchFault.overlapping(record.name)
    }
    return Entry(name: record.name, range: start..<start + record.size)
  }
}
