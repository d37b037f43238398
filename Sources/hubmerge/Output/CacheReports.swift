// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage
internal import SystemPackage

/// What is in a cache.
struct CacheListReport: Report, Sendable {
  let root: FilePath
  let repositories: [CachedRepository]

  private var bytes: Int { repositories.reduce(0) { $0 + $1.bytes } }

  var text: String {
    let lines = repositories.flatMap { repository in
      ["\(repository.label)  \(Quantity.bytes(repository.bytes))"]
        + repository.commits.map { commit in
          let names = commit.revisions.map(\.text).joined(separator: ", ")
          let gap = commit.missing.map { $0 > 0 ? ", \($0) not fetched" : "" } ?? ""
          return "  \(commit.commit.hex.prefix(12))  \(Quantity.plural(commit.files, "file")), "
            + "\(Quantity.bytes(commit.bytes))\(gap)\(names.isEmpty ? "" : "  \(names)")"
        }
        + repository.partials.map { partial in
          "  unfinished: \(Quantity.bytes(partial.received)) of \(Quantity.bytes(partial.size))"
        }
    }
    let sum = "\(Quantity.repositories(repositories.count)), \(Quantity.bytes(bytes)) in \(root)"
    return (lines + [sum]).joined(separator: "\n")
  }

  var json: JSON {
    .object([
      .init("cache", .string(root.string)), .init("bytes", .int(bytes)),
      .init("repositories", .array(repositories.map(\.json))),
    ])
  }

  var essence: String { repositories.map(\.label).joined(separator: "\n") }
}

/// Whether what is in a cache is sound.
struct CacheVerificationReport: Report, Sendable {
  let repositories: [CacheVerification]

  var text: String {
    repositories.flatMap { repository in
      let missing = repository.findings.count { if case .missing = $0 { true } else { false } }
      let unknown = repository.unknown
      let summary =
        "\(repository.repository): \(repository.intact) intact, "
        + "\(Quantity.bytes(repository.bytes)) read"
        + (repository.unchanged > 0 ? ", \(repository.unchanged) unchanged" : "")
        + (missing > 0 ? ", \(Quantity.plural(missing, "file")) not fetched" : "")
        + (unknown > 0 ? ", \(unknown) without a digest" : "")
      return [summary]
        + repository.findings.compactMap { finding in
          switch finding {
          case .corrupt(let path, _, let actual): "  corrupt: \(path) has the digest \(actual)"
          case .dangling(let path): "  leads nowhere: \(path)"
          case .missing: nil
          }
        }
    }.joined(separator: "\n")
  }

  var json: JSON {
    .array(
      repositories.map { repository in
        .object([
          .init("repository", .string("\(repository.repository)")),
          .init("intact", .int(repository.intact)),
          .init("unchanged", .int(repository.unchanged)),
          .init("unknown", .int(repository.unknown)),
          .init("bytes", .int(repository.bytes)),
          .init("sound", .bool(repository.isIntact)),
          .init("findings", .array(repository.findings.map(\.json))),
        ])
      })
  }

  var essence: String { repositories.allSatisfy(\.isIntact) ? "intact" : "damaged" }
}

/// What has gone from a cache.
struct CacheRemovalReport: Report, Sendable {
  let removal: CacheRemoval
  let isRehearsal: Bool

  var text: String {
    let verb = isRehearsal ? "would remove" : "removed"
    return
      (removal.paths.map { "\(verb) \($0)" } + removal.busy.map { "in use: \($0)" } + [
        "\(verb) \(Quantity.bytes(removal.bytes))"
      ]).joined(separator: "\n")
  }

  var json: JSON {
    .object([
      .init("removed", .bool(!isRehearsal)), .init("bytes", .int(removal.bytes)),
      .init("paths", .array(removal.paths.map { .string($0.string) })),
      .init("busy", .array(removal.busy.map { .string($0.string) })),
    ])
  }

  var essence: String { "\(removal.bytes)" }
}

extension CachedRepository {
  /// As the command line names it.
  fileprivate var label: String { id.kind == .model ? "\(id)" : "\(id.kind.plural)/\(id)" }

  fileprivate var json: JSON {
    .object([
      .init("repository", .string("\(id)")), .init("kind", .string(id.kind.rawValue)),
      .init("folder", .string(folder.string)), .init("bytes", .int(bytes)),
      .init(
        "commits",
        .array(
          commits.map { commit in
            .object([
              .init("commit", .string(commit.commit.hex)),
              .init("revisions", .array(commit.revisions.map { .string($0.text) })),
              .init("files", .int(commit.files)), .init("bytes", .int(commit.bytes)),
              .init("missing", commit.missing.map { .int($0) } ?? .null),
            ])
          })),
      .init(
        "unfinished",
        .array(
          partials.map { partial in
            .object([
              .init("path", .string(partial.path.string)), .init("bytes", .int(partial.size)),
              .init("received", .int(partial.received)),
              .init("occupied", .int(partial.occupied)),
            ])
          })),
    ])
  }
}

extension CacheVerification.Finding {
  fileprivate var json: JSON {
    switch self {
    case .corrupt(let path, let expected, let actual):
      .object([
        "kind": .string("corrupt"), "path": .string(path.string),
        "expected": .string(expected.hex), "actual": .string(actual.hex),
      ])
    case .dangling(let path):
      .object(["kind": .string("dangling"), "path": .string(path.string)])
    case .missing(let commit, let path):
      .object([
        "kind": .string("missing"), "commit": .string(commit.hex), "path": .string(path),
      ])
    }
  }
}

extension Quantity {
  fileprivate static func repositories(_ count: Int) -> String {
    count == 1 ? "1 repository" : "\(count) repositories"
  }
}
