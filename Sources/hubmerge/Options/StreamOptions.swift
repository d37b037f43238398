// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import Storage
internal import SystemPackage

/// Whether the weights of models on the hub are read while they are merged.
struct StreamOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Read weights off the hub while merging, only those that the recipe needs, and keep none.",
      discussion: """
        What does not come as a whole has no digest to be checked against: ranges are pinned to the commit and \
        to the file's length. Models that are in the cache are read there; pickled weights are fetched.
        """))
  var stream = false

  /// What reads ranges off the hub; nil if models are to be fetched.
  ///
  /// - Parameter workspace: Where what does not fit in memory is kept for as long as it is needed.
  func reader(_ workspace: FilePath) throws -> RangeReader? {
    guard stream else { return nil }
    let limits = RangeReader.Limits()
    try FileSystem.createFolder(workspace)
    let room = (FileSystem.freeSpace(at: workspace) ?? 0) / 2
    return RangeReader(
      limits: limits,
      spool: try Spool(in: workspace, limit: room, slotSize: limits.pieceLength))
  }
}
