// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a running merge reports; the library never draws.
///
/// `started` once, then `advanced` and `finishedShard` in any order, the sum of all `advanced` being the total.
package enum MergeEvent: Sendable {
  /// - Parameters:
  ///   - bytes: Size of what will be written.
  ///   - resumed: Of these, what an interrupted run has already written.
  case started(bytes: Int, shards: Int, resumed: Int)
  case advanced(bytes: Int)
  case finishedShard(name: String)
}
