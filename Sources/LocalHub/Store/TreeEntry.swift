// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage

/// A file of a commit.
struct TreeEntry: Hashable, Sendable {
  let path: String
  /// Git's name of what git stores: the content of a small file, the pointer of a large one.
  let oid: Digest
  /// Length of the content.
  let size: Int
  /// Present for a file whose content git does not store itself.
  let lfs: LFSPointer?

  /// A file whose content is in git.
  init(path: String, content: [UInt8]) {
    self.path = path
    oid = .gitBlob(content)
    size = content.count
    lfs = nil
  }

  init(path: String, lfs: LFSPointer) {
    self.path = path
    oid = .gitBlob(Array(lfs.text.utf8))
    size = lfs.size
    self.lfs = lfs
  }

  init(_ entry: TreeEntry, movedTo path: String) {
    self.path = path
    oid = entry.oid
    size = entry.size
    lfs = entry.lfs
  }

  /// The name of the content among the blobs, which is also the file's ETag.
  var blob: Digest { lfs?.digest ?? oid }

  /// The entry as the hub's listings show it.
  var listed: JSON {
    .object([
      "type": "file", "oid": .string(oid.hex), "size": .int(size), "path": .string(path),
      "lfs": lfs.map {
        [
          "oid": .string($0.digest.hex), "size": .int($0.size),
          "pointerSize": .int($0.text.utf8.count),
        ]
      },
    ])
  }
}

// MARK: - On disk

extension TreeEntry {
  var stored: JSON {
    .object([
      "path": .string(path), "oid": .string(oid.hex), "size": .int(size),
      "sha256": lfs.map { .string($0.digest.hex) },
    ])
  }

  init?(stored: JSON) {
    guard let path = stored["path"]?.string, let size = stored["size"]?.int,
      let oid = stored["oid"]?.string.flatMap(Digest.init(hex:))
    else { return nil }
    self.path = path
    self.oid = oid
    self.size = size
    lfs = stored["sha256"]?.string.flatMap(Digest.init(hex:)).map {
      LFSPointer(digest: $0, size: size)
    }
  }
}
