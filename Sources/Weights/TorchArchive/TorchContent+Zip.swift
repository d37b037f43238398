// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension TorchContent {
  /// The content of a zip archive: `STEM/data.pkl`, and the storages as `STEM/data/KEY`.
  init(zip: ZipDirectory, reading read: (Range<Int>) throws -> [UInt8]) throws {
    let pickles = zip.entries.filter { $0.name.hasSuffix("/data.pkl") }
    guard let pickle = pickles.first else { throw TorchFault.noPickle }
    guard pickles.count == 1 else { throw TorchFault.severalPickles(pickles.map(\.name)) }
    let stem = pickle.name.dropLast("data.pkl".count)
    let places = Dictionary(uniqueKeysWithValues: zip.entries.map { ($0.name, $0.range) })
    let isScript = zip.entries.contains {
      $0.name == stem + "constants.pkl" || $0.name.hasPrefix(stem + "code/")
    }
    guard !isScript else { throw TorchFault.script }
    if let order = places[stem + "byteorder"] {
      guard order.count == 6, try read(order) == Array("little".utf8) else {
        throw TorchFault.bigEndian
      }
    }
    guard pickle.range.count <= PickleReader.maximumSize else {
      throw TorchFault.pickleTooLarge(pickle.range.count)
    }
    var reader = PickleReader(try read(pickle.range))
    let root = try reader.read()
    guard reader.cursor.remaining == 0 else { throw TorchFault.misplaced("its end") }
    let storages = try reader.heap.storages.map { storage in
      guard let place = places["\(stem)data/\(storage.key)"] else {
        throw TorchFault.missingStorage(storage.key)
      }
      guard place.count == storage.byteCount else {
        throw TorchFault.storageSize(
          storage.key, stated: storage.byteCount, stored: place.count)
      }
      return place
    }
    self.init(root: root, heap: reader.heap, places: storages)
  }
}
