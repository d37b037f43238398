// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// What a file written by `torch.save` says about its tensors; none of them is read, and nothing is run.
///
/// Files are zip archives since PyTorch 1.6 and a row of pickles before that. Tensors may share storages, and
/// lie in them with strides.
package struct TorchArchive: ShardHeader {
  package let entries: [TensorEntry]
  package let fileSize: Int

  /// Reads the directory and the pickle of a file.
  ///
  /// - Throws: `WeightsError.brokenTorchArchive`, or `StorageError`.
  package init(contentsOf path: FilePath) throws {
    let file = try File(path, .read)
    do {
      try self.init(size: file.size) { try file.bytes(at: $0.lowerBound, count: $0.count) }
    } catch let fault as TorchFault {
      throw WeightsError.brokenTorchArchive(path, fault)
    }
  }

  /// - Parameters:
  ///   - size: Length of the whole file.
  ///   - read: Gives bytes of it.
  package init(size: Int, reading read: (Range<Int>) throws -> [UInt8]) throws {
    let start = try read(0..<min(size, 512))
    let content: TorchContent
    if start.starts(with: [0x50, 0x4b, 0x03, 0x04]) {
      content = try TorchContent(zip: ZipDirectory(size: size, reading: read), reading: read)
    } else if start.starts(with: TorchContent.legacyMagic) {
      content = try TorchContent(
        legacy: read(0..<min(size, PickleReader.maximumSize)), size: size, reading: read)
    } else if start.dropFirst(257).starts(with: Array("ustar".utf8)) {
      throw TorchFault.tar
    } else {
      throw TorchFault.unknownFormat
    }
    entries = try content.entries()
    fileSize = size
  }
}
