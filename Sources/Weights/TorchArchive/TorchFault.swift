// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a PyTorch archive, or what in it is not read. Every way has its own name.
package enum TorchFault: Error, Hashable, Sendable {
  // The container.
  case unknownFormat
  case tar
  case script
  case truncated
  case notWhole
  case tooManyEntries(Int)
  case unsafeName(String)
  case duplicateEntry(String)
  case compressed(String)
  case encrypted(String)
  case overlapping(String)
  case headerMismatch(String)
  case noPickle
  case severalPickles([String])
  case bigEndian

  // The pickle.
  case pickleTooLarge(Int)
  case tooMuch(Limit)
  case opcode(UInt8, at: Int)
  case version(Int)
  case global(String)
  case call(String)
  case misplaced(String)
  case emptyStack
  case noMark
  case unknownMemo(Int)
  case notUTF8
  case persistentID

  // The tensors.
  case noTensors
  case nameNotText
  case tooManyAxes(Int)
  case negative
  case overflow
  case outOfStorage
  case repeatedElements
  case missingStorage(String)
  case storageSize(String, stated: Int, stored: Int)
  case storageConflict(String)
  case storageView(String)

  package enum Limit: String, Hashable, Sendable {
    case operations, memo, containers, text, integers, storages, tensors
  }
}

extension TorchFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownFormat: "it is not an archive that torch.save writes"
    case .tar:
      "it is a tar archive as PyTorch wrote before 0.2; load and save it again with torch.save"
    case .script: "it is a TorchScript program, not a state dictionary"
    case .truncated: "it ends too early"
    case .notWhole: "bytes before, between or after the parts of its zip archive"
    case .tooManyEntries(let count): "\(count) entries are more than any checkpoint has"
    case .unsafeName(let name): "the entry \"\(name)\" would lead out of the archive"
    case .duplicateEntry(let name): "the entry \(name) exists twice"
    case .compressed(let name):
      "the entry \(name) is compressed; torch.save stores entries as they are"
    case .encrypted(let name): "the entry \(name) is encrypted"
    case .overlapping(let name): "the entry \(name) lies on top of another or past the end"
    case .headerMismatch(let name): "the two headers of the entry \(name) contradict each other"
    case .noPickle: "it has no data.pkl"
    case .severalPickles(let names):
      "it has more than one data.pkl: " + names.joined(separator: ", ")
    case .bigEndian: "its numbers are big-endian"
    case .pickleTooLarge(let size): "its pickle is \(size) bytes long, more than tensors need"
    case .tooMuch(let limit): "its pickle has more \(limit.rawValue) than any checkpoint needs"
    case .opcode(let code, let offset):
      "its pickle has the operation 0x\(String(code, radix: 16)) at \(offset), which tensors do not need"
    case .version(let version): "its pickle has version \(version)"
    case .global(let name):
      "its pickle refers to \"\(name)\", which is not needed for tensors and could run anything"
    case .call(let name): "its pickle calls \(name) with arguments that make no sense"
    case .misplaced(let operation): "its pickle has \(operation) in a place where it makes no sense"
    case .emptyStack: "its pickle takes more values than it makes"
    case .noMark: "its pickle ends a group that it did not begin"
    case .unknownMemo(let number): "its pickle uses value \(number), which it did not make"
    case .notUTF8: "its pickle has text that is not UTF-8"
    case .persistentID: "its pickle refers to something that is not a storage"
    case .noTensors: "it has no tensors by name"
    case .nameNotText: "the name of a tensor is not text"
    case .tooManyAxes(let count): "a tensor has \(count) axes"
    case .negative: "a tensor has a negative offset, length or stride"
    case .overflow: "the size of a tensor overflows"
    case .outOfStorage: "a tensor lies outside of its storage"
    case .repeatedElements: "a tensor has more elements than its storage"
    case .missingStorage(let key): "the storage \(key) is missing"
    case .storageSize(let key, let stated, let stored):
      "the storage \(key) should have \(stated) bytes, but has \(stored)"
    case .storageConflict(let key): "the storage \(key) is described in two ways"
    case .storageView(let key): "the storage \(key) is a view of another, as PyTorch 0.x wrote"
    }
  }
}
