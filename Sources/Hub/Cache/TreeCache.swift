// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage

/// The listings of commits, one file each; a commit never changes, so neither does its listing.
struct TreeCache {
  let folder: FilePath

  init(_ folder: FilePath) { self.folder = folder }

  func path(_ commit: CommitID) -> FilePath { folder.appending("\(commit.hex).json") }

  /// The listing of a commit; nil if there is none, or none that this version can read.
  func tree(_ commit: CommitID) -> Tree? {
    guard let bytes = try? FileSystem.read(path(commit)), let json = try? JSON.parse(bytes),
      json["format_version"]?.int == 1, let members = json["files"]?.members
    else { return nil }
    let files = members.compactMap { member -> TreeEntry? in
      let file = member.value
      guard let path = try? SafePath.check(member.key),
        let size = file["lfs_size"]?.int ?? file["size"]?.int, size >= 0, size < 1 << 60,
        let id = file["blob_id"]?.string, (try? ETag.check(id)) != nil
      else { return nil }
      let lfs = file["lfs_sha256"]?.string
      if let lfs, (try? ETag.check(lfs)) == nil { return nil }
      return TreeEntry(
        path: path, size: size, gitID: id, lfsID: lfs, xetHash: file["xet_hash"]?.string)
    }
    // A listing that is read in part would make a snapshot look complete.
    return files.count == members.count ? Tree(commit: commit, files: files) : nil
  }

  func keep(_ tree: Tree) throws(StorageError) {
    let target = path(tree.commit)
    guard !FileSystem.exists(target) else { return }
    let sorted = tree.files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let files = sorted.map { file in
      JSON.Member(
        file.path,
        .object([
          "blob_id": .string(file.gitID), "lfs_sha256": file.lfsID.map { .string($0) },
          "lfs_size": file.lfsID.map { _ in .int(file.size) }, "size": .int(file.size),
          "xet_hash": file.xetHash.map { .string($0) },
        ]))
    }
    let json = JSON.object(["files": .object(files), "format_version": .int(1)])
    try HubCache.ifWritable { () throws(StorageError) in
      try FileSystem.createFolder(folder)
      try FileSystem.write(json.serialized(.pretty(indent: 1)), to: target)
    }
  }
}
