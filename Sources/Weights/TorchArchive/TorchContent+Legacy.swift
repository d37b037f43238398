// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension TorchContent {
  /// A pickle of the number 0x1950a86a20f9469cfc6c, with which files of PyTorch before 1.6 begin.
  static let legacyMagic: [UInt8] = [
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]

  /// The content of a row of pickles: magic number, version, facts about the machine, the state dictionary,
  /// the keys of the storages; then for each key a count and as many elements.
  ///
  /// - Parameter pickles: The first bytes of the file.
  init(legacy pickles: [UInt8], size: Int, reading read: (Range<Int>) throws -> [UInt8]) throws {
    var reader = PickleReader(pickles, at: Self.legacyMagic.count)
    let version = try reader.read()
    guard version.integer == 1001 else { throw TorchFault.version(version.integer ?? -1) }
    let machine = try reader.read()
    guard case .flag(true) = reader.heap.members(machine)?["little_endian"] else {
      throw TorchFault.bigEndian
    }
    let root = try reader.read()
    let keys = try reader.read()
    guard case .list(let number) = keys else { throw TorchFault.misplaced("the list of storages") }

    let numbers = Dictionary(
      uniqueKeysWithValues: reader.heap.storages.enumerated().map { ($1.key, $0) })
    var places = [Range<Int>?](repeating: nil, count: reader.heap.storages.count)
    var position = reader.cursor.position
    for item in reader.heap.containers[number] {
      guard let key = item.text, let number = numbers[key], places[number] == nil else {
        throw TorchFault.misplaced("the key of a storage")
      }
      let storage = reader.heap.storages[number]
      guard size - position >= 8 else { throw TorchFault.truncated }
      var count = ByteCursor(try read(position..<position + 8))
      position += 8
      guard try count.count(UInt64.self) == storage.count else {
        throw TorchFault.storageConflict(key)
      }
      guard storage.byteCount <= size - position else { throw TorchFault.truncated }
      places[number] = position..<position + storage.byteCount
      position += storage.byteCount
    }
    guard position == size else { throw TorchFault.notWhole }
    for (storage, place) in zip(reader.heap.storages, places) where place == nil {
      throw TorchFault.missingStorage(storage.key)
    }
    self.init(root: root, heap: reader.heap, places: places.compactMap(\.self))
  }
}
