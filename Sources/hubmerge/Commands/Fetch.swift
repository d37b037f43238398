// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Hub
internal import Storage
internal import SystemPackage

/// `hubmerge fetch`: repositories from a hub.
struct Fetch: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch repositories from the hub into the cache, or into a folder.",
    discussion: """
      The cache is the one of huggingface_hub: transformers finds there what was fetched here. Broken off, \
      the same command goes on where it was; every file is checked against its digest.
      """)

  @Argument(
    help: ArgumentHelp(
      "Repositories: namespace/name, or namespace/name@revision.", valueName: "repo"))
  var repositories: [String]

  @Option(
    help: ArgumentHelp("Put plain files into this folder.", valueName: "path"),
    completion: .directory)
  var localDir: String?

  @Option(help: ArgumentHelp("Only files whose path matches; may be repeated.", valueName: "glob"))
  var include: [String] = []

  @Option(help: ArgumentHelp("No files whose path matches; may be repeated.", valueName: "glob"))
  var exclude: [String] = []

  @Flag(help: "Only what a merge needs: one set of weights, configuration, tokenizer, card.")
  var forMerging = false

  @Flag(help: "Tell only what would be fetched, and what is here already.")
  var dryRun = false

  @Flag(help: "The repositories are datasets.")
  var dataset = false

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if repositories.isEmpty { throw ValidationError("Name at least one repository.") }
    if localDir != nil, repositories.count > 1 {
      throw ValidationError("--local-dir takes one repository at a time.")
    }
  }

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let client = try hub.client(console, observe: console.showTransfer)
    var selection = FileSelection(include: include, exclude: exclude)
    selection.isForMerging = forMerging
    let destination =
      localDir.map { SnapshotDestination.folder(FilePath($0), cache: hub.cache) }
      ?? .cache(hub.cache)
    if dryRun {
      var forecasts: [SnapshotForecast] = []
      for text in repositories {
        let (id, revision) = try reference(text)
        forecasts.append(
          try await client.repository(id).forecast(revision, selection, into: destination))
      }
      return FetchForecastReport(forecasts: forecasts)
    }
    var snapshots: [Snapshot] = []
    for text in repositories {
      let (id, revision) = try reference(text)
      snapshots.append(
        try await client.repository(id).fetch(revision, selection, into: destination))
    }
    for snapshot in snapshots {
      if !snapshot.isKnownComplete {
        console.warn("\(snapshot.repository) comes from the cache, which may lack files of it")
      }
      warn(of: snapshot, console)
    }
    return FetchReport(snapshots: snapshots)
  }

  /// Tells which patterns have chosen nothing.
  private func warn(of snapshot: Snapshot, _ console: Console) {
    for text in include {
      let pattern = GlobPattern(text)
      if !snapshot.files.contains(where: { pattern.matches($0.path) }) {
        console.warn("\(snapshot.repository) has no file \"\(text)\" that is wanted")
      }
    }
  }

  private func reference(_ text: String) throws -> (RepoID, Revision) {
    let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
    let id = try RepoID(parts.first ?? "", kind: dataset ? .dataset : .model)
    guard parts.count == 2 else { return (id, .main) }
    guard let revision = Revision(parts[1]) else {
      throw ValidationError("\"\(parts[1])\" is not a revision.")
    }
    return (id, revision)
  }
}

struct FetchReport: Report, Sendable {
  let snapshots: [Snapshot]

  var text: String {
    snapshots.map { snapshot in
      let bytes = snapshot.files.reduce(0) { $0 + $1.size }
      let reused = snapshot.files.count { $0.wasReused }
      return """
        fetched \(snapshot.repository) @ \(snapshot.commit.hex.prefix(12)): \
        \(Quantity.plural(snapshot.files.count, "file")), \(Quantity.bytes(bytes))\
        \(reused > 0 ? ", \(reused) of them already here" : ""), digests verified
        \(snapshot.folder)
        """
    }.joined(separator: "\n")
  }

  var json: JSON {
    .array(
      snapshots.map { snapshot in
        .object([
          .init("repository", .string(snapshot.repository.description)),
          .init("commit", .string(snapshot.commit.hex)),
          .init("folder", .string(snapshot.folder.string)),
          .init("complete", .bool(snapshot.isKnownComplete)),
          .init(
            "files",
            .array(
              snapshot.files.map { file in
                .object([
                  "path": .string(file.path), "bytes": .int(file.size),
                  "digest": file.digest.map { .string($0.hex) }, "reused": .bool(file.wasReused),
                  "seconds": .number("\((file.seconds * 1000).rounded() / 1000)"),
                ])
              })),
        ])
      })
  }

  var essence: String { snapshots.map(\.folder.string).joined(separator: "\n") }
}
