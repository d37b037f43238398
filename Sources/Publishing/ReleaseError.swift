// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// Why a release cannot be made as it was asked for.
package enum ReleaseError: Error, Sendable {
  /// Another process is at work on the same release.
  case inProgress(folder: FilePath)
  /// One shard alone takes more than all shards may.
  case shardTooLarge(name: String, size: Int, room: Int)
  /// One thread alone takes more memory than the merge may.
  case memoryTooSmall(needed: Int, limit: Int)
}
