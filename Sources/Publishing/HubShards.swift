// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import Merging
internal import Storage
internal import Weights

/// The shards of a repository at a commit, read where they are stored, a range at a time.
struct HubShards: RemoteShards {
  /// The files' numbers in the reader.
  private let numbers: [String: Int]
  private let reader: RangeReader

  /// - Parameter files: The shards as the listing has them.
  init(_ repository: Repository, _ commit: CommitID, _ files: [TreeEntry], _ reader: RangeReader)
    throws
  {
    self.reader = reader
    var numbers: [String: Int] = [:]
    for file in files {
      numbers[file.path] = try reader.add(
        RangeReader.Source(repository, file.path, at: commit, size: file.size))
    }
    self.numbers = numbers
  }

  func open(_ shard: Checkpoint.Shard) throws -> any ByteSource {
    guard let number = numbers[shard.name] else { throw HubError(.entryNotFound) }
    return HubShard(reader: reader, number: number)
  }
}

/// One file of a repository, read a range at a time.
private struct HubShard: ByteSource {
  let reader: RangeReader
  let number: Int

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    try reader.read(number, into: buffer, at: offset)
  }

  func willRead(_ range: Range<Int>) { reader.willRead(number, range) }

  func didRead(_ range: Range<Int>) { reader.didRead(number, range) }
}
