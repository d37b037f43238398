// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// What is known about a repository besides its history.
struct RepositorySettings: Sendable {
  var isPrivate: Bool
  /// "auto" or "manual" if readers must be let in first.
  var gate: String?
  let created: Timestamp

  var stored: JSON {
    .object([
      "private": .bool(isPrivate), "gated": gate.map { .string($0) },
      "created": .int(created.seconds),
    ])
  }

  init(isPrivate: Bool) {
    self.isPrivate = isPrivate
    created = .now
  }

  init?(stored: JSON) {
    guard let isPrivate = stored["private"]?.bool, let created = stored["created"]?.int else {
      return nil
    }
    self.isPrivate = isPrivate
    gate = stored["gated"]?.string
    self.created = Timestamp(seconds: created)
  }
}
