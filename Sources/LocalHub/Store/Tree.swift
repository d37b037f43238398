// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage

/// All files of a commit, by path.
struct Tree: Sendable {
  /// Sorted by the bytes of their paths.
  let entries: [TreeEntry]
  /// Git's names of the folders; the root is "".
  let folders: [String: Digest]

  var oid: Digest { folders[""] ?? Self.empty }
  private static let empty = GitObject.tree([])

  init(_ entries: some Sequence<TreeEntry>) {
    let sorted = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.entries = sorted
    var folders: [String: Digest] = [:]
    _ = Self.nameFolder("", sorted[...], &folders)
    self.folders = folders
  }

  /// Names the folder `prefix` (empty or ending in a slash) that holds `entries`, and those below.
  private static func nameFolder(
    _ prefix: String, _ entries: ArraySlice<TreeEntry>, _ folders: inout [String: Digest]
  ) -> Digest {
    var children: [GitObject.Child] = []
    var rest = entries
    while let entry = rest.first {
      let name = entry.path.utf8.dropFirst(prefix.utf8.count).prefix { $0 != UInt8(ascii: "/") }
      let path = prefix + String(Substring(name))
      if path.utf8.count == entry.path.utf8.count {
        children.append(.init(name: String(Substring(name)), oid: entry.oid, isFolder: false))
        rest = rest.dropFirst()
      } else {
        // The files below a folder follow one another, because a slash is part of the order.
        let below = rest.prefix { $0.path.utf8.starts(with: (path + "/").utf8) }
        let oid = nameFolder(path + "/", below, &folders)
        children.append(.init(name: String(Substring(name)), oid: oid, isFolder: true))
        rest = rest.dropFirst(below.count)
      }
    }
    let oid = GitObject.tree(children)
    folders[prefix.isEmpty ? "" : String(prefix.dropLast())] = oid
    return oid
  }

  /// The file at `path`.
  subscript(path: String) -> TreeEntry? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].path.utf8.lexicographicallyPrecedes(path.utf8) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < entries.count && entries[low].path.utf8.elementsEqual(path.utf8)
      ? entries[low] : nil
  }

  /// The listing of a folder ("" for the root): files and folders, sorted by path.
  ///
  /// Nil if there is no such folder.
  func listing(of folder: String, recursive: Bool) -> [JSON]? {
    guard folder.isEmpty || folders[folder] != nil else { return nil }
    let prefix = folder.isEmpty ? "" : folder + "/"
    func belongs(_ path: String) -> Bool {
      guard path.utf8.starts(with: prefix.utf8), path != folder, !path.isEmpty else { return false }
      return recursive || !path.utf8.dropFirst(prefix.utf8.count).contains(UInt8(ascii: "/"))
    }
    let files = entries.lazy.filter { belongs($0.path) }.map { ($0.path, $0.listed) }
    let below = folders.keys.lazy.filter(belongs).map { ($0, self.listed(folder: $0)) }
    return (Array(files) + Array(below))
      .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }.map(\.1)
  }

  func listed(folder: String) -> JSON {
    [
      "type": "directory", "oid": .string(folders[folder]?.hex ?? ""), "size": 0,
      "path": .string(folder),
    ]
  }
}

// MARK: - On disk

extension Tree {
  var stored: JSON { .array(entries.map(\.stored)) }

  init?(stored: JSON) {
    guard let items = stored.array else { return nil }
    let entries = items.compactMap(TreeEntry.init(stored:))
    guard entries.count == items.count else { return nil }
    self.init(entries)
  }
}
