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
  /// - Parameters:
  ///   - workspace: Where what does not fit in memory is kept for as long as it is needed.
  ///   - memory: Bytes of memory that it may take; nil for its own choice.
  ///   - disk: Bytes of disk that it may take; nil for half of what is free.
  func reader(_ workspace: FilePath, memory: Int? = nil, disk: Int? = nil) throws -> RangeReader? {
    guard stream else { return nil }
    var limits = RangeReader.Limits()
    if let memory { limits.memory = memory }
    try FileSystem.createFolder(workspace)
    let room = disk ?? (FileSystem.freeSpace(at: workspace) ?? 0) / 2
    return RangeReader(
      limits: limits,
      spool: try Spool(in: workspace, limit: room, slotSize: limits.pieceLength))
  }
}
