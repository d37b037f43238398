// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How much a server has sent.
final class Traffic: Sendable {
  private let sent = Atomic(0)

  /// Bytes of bodies, over all connections.
  var bytes: Int { sent.load(ordering: .relaxed) }

  func add(_ count: Int) { sent.wrappingAdd(count, ordering: .relaxed) }
}
