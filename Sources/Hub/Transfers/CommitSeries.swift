// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage

/// How much one commit may carry.
package struct CommitLimits: Sendable {
  /// Files added or deleted; the Hub gives a commit one minute.
  package var operations = 1000
  /// Bytes of files that are sent inside the commit.
  package var bytes = 100_000_000

  package init() {}
}

/// The changes of an upload, cut into as few commits as the limits allow.
///
/// If it takes several, each leaves a repository that can be read: first what is new, then what replaces other
/// files, and last what makes the rest count: the index, config.json, the card, deletions.
struct CommitSeries {
  let parts: [[CommitOperation]]

  init(_ changed: [StagedFile], deleted: [String], limits: CommitLimits) {
    let operations = deleted.map { CommitOperation.delete(path: $0) } + changed.map { .add($0) }
    guard !Self.exceeds(operations.count, operations.reduce(0) { $0 + $1.bytes }, limits) else {
      parts = Self.cut(
        operations.enumerated().sorted {
          ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset)
        }
        .map(\.element), limits)
      return
    }
    parts = operations.isEmpty ? [] : [operations]
  }

  private static func exceeds(_ count: Int, _ bytes: Int, _ limits: CommitLimits) -> Bool {
    count > max(1, limits.operations) || bytes > limits.bytes
  }

  /// Cut from the end, so that the last commit holds as much as it can of what belongs together.
  private static func cut(_ operations: [CommitOperation], _ limits: CommitLimits)
    -> [[CommitOperation]]
  {
    var parts: [[CommitOperation]] = []
    var part: [CommitOperation] = []
    var bytes = 0
    for operation in operations.reversed() {
      if !part.isEmpty, exceeds(part.count + 1, bytes + operation.bytes, limits) {
        parts.append(part.reversed())
        (part, bytes) = ([], 0)
      }
      part.append(operation)
      bytes += operation.bytes
    }
    return ([part.reversed()] + parts.reversed()).filter { !$0.isEmpty }
  }
}

extension CommitOperation {
  /// What is sent with the commit itself.
  fileprivate var bytes: Int {
    if case .add(let staged) = self, case .regular(let file, _) = staged.content {
      file.size
    } else {
      0
    }
  }

  /// The later, the more depends on it.
  fileprivate var rank: Int {
    switch self {
    case .add(let staged):
      let name = staged.path.split(separator: "/").last ?? ""
      if name.hasSuffix(".index.json") || name == "config.json" || name == "README.md" { return 2 }
      return staged.present == nil ? 0 : 1
    case .delete: return 3
    }
  }
}
