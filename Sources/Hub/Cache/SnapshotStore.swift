// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// Where the files of one commit are put together: a snapshot of the cache, or a plain folder.
protocol SnapshotStore: Sendable {
  var repository: RepoID { get }
  var commit: CommitID { get }
  /// The folder that the snapshot's files are in.
  var folder: FilePath { get }
  var trees: TreeCache { get }

  /// The place of a file if it is there with that content already. May read the whole file.
  func find(_ entry: TreeEntry) throws -> FilePath?

  /// Whether a file is there with that content, as far as can be told without reading it.
  func has(_ entry: TreeEntry) -> Bool

  /// Whether a file needs no more room on the disk, as far as can be told without reading it.
  func hasRoom(for entry: TreeEntry) -> Bool

  /// The lock of whoever writes a content.
  func lockPath(_ entry: TreeEntry) -> FilePath

  /// Where a content is gathered before it is complete.
  func draft(_ entry: TreeEntry) -> FilePath

  /// Takes a complete, verified draft over as a file of the snapshot.
  func adopt(_ draft: FilePath, as entry: TreeEntry) throws -> FilePath
}
