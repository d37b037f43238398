// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import SystemPackage

/// `hubmerge cache`: what is in the cache, whether it is sound, and what may go.
struct Cache: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, verify and clean the cache.",
    discussion: """
      The cache is shared with huggingface_hub: nothing goes from it unless it is named, but for what \
      broken-off downloads of this program have left.
      """,
    subcommands: [List.self, Verify.self, Prune.self, Remove.self], defaultSubcommand: List.self)

  /// Which cache.
  struct Location: ParsableArguments {
    @Option(
      name: .customLong("cache-dir"),
      help: ArgumentHelp("Folder of the cache (HF_HUB_CACHE).", valueName: "path"),
      completion: .directory)
    var folder: String?

    var cache: HubCache {
      HubCache(
        folder.map { FilePath($0) } ?? Environment.process.hubCache,
        journals: Environment.process.digestJournals)
    }
  }

  struct List: ReportingCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "List repositories, their commits and unfinished downloads.")

    @OptionGroup var location: Location
    @OptionGroup var output: OutputOptions

    func perform(_ console: Console) async throws -> any Report & Sendable {
      CacheListReport(root: location.cache.root, repositories: try location.cache.repositories())
    }
  }

  struct Verify: ReportingCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read everything and compare it with its digest.",
      discussion: """
        With --changed, contents that were found intact before are passed over if their length, time of change \
        and inode are still the same: fast, but blind to damage that the disk itself has done.
        """)

    @Argument(
      help: ArgumentHelp(
        "Repositories: namespace/name, or datasets/namespace/name; all if none is named.",
        valueName: "repo"))
    var repositories: [String] = []

    @Flag(help: "Read only what has changed since it was last verified.")
    var changed = false

    @OptionGroup var location: Location
    @OptionGroup var output: OutputOptions

    func perform(_ console: Console) async throws -> any Report & Sendable {
      let cache = location.cache
      let named = try repositories.map { text -> CachedRepository in
        let id = try RepoID(reference: text)
        guard let found = try cache.repository(id) else {
          throw HubError(.notInCache, repository: id)
        }
        return found
      }
      let chosen = repositories.isEmpty ? try cache.repositories() : named
      console.progress.begin("verify", total: chosen.reduce(0) { $0 + $1.bytes })
      let found = try await BlockingWork.run { cancellation in
        try chosen.map { repository in
          try cache.verify(
            repository.id, onlyChanged: changed, cancellation: cancellation
          ) { event in
            if case .hashed(_, let bytes) = event { console.progress.advance(bytes) }
          }
        }
      }
      let report = CacheVerificationReport(repositories: found)
      guard found.allSatisfy(\.isIntact) else {
        console.show(report)
        throw ExitStatus.inputOutput.exitCode
      }
      return report
    }
  }

  struct Prune: ReportingCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove what broken-off downloads have left.",
      discussion: "Downloads that are running are left alone, and so is everything complete.")

    @Flag(help: "Tell only what would be removed.")
    var dryRun = false

    @OptionGroup var location: Location
    @OptionGroup var output: OutputOptions

    func perform(_ console: Console) async throws -> any Report & Sendable {
      CacheRemovalReport(
        removal: try location.cache.prune(isRehearsal: dryRun), isRehearsal: dryRun)
    }
  }

  struct Remove: ReportingCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove one commit of a repository.",
      discussion: "Contents that other commits of the repository use stay.")

    @Argument(
      help: ArgumentHelp(
        "The commit: namespace/name@revision, or datasets/namespace/name@revision.",
        valueName: "repo@revision"))
    var name: String

    @Flag(help: "Tell only what would be removed.")
    var dryRun = false

    @OptionGroup var location: Location
    @OptionGroup var output: OutputOptions

    func perform(_ console: Console) async throws -> any Report & Sendable {
      let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
      guard parts.count == 2, let revision = Revision(parts[1]) else {
        throw ValidationError("Name the commit too: \(name)@<branch, tag or commit>.")
      }
      let id = try RepoID(reference: parts[0])
      guard let commit = location.cache.commit(of: revision, in: id) else {
        throw HubError(.notInCache, repository: id)
      }
      return CacheRemovalReport(
        removal: try location.cache.remove(commit, of: id, isRehearsal: dryRun),
        isRehearsal: dryRun)
    }
  }
}

extension RepoID {
  /// An id as the command line has it: the kind, unless it is a model, before the name.
  init(reference text: String) throws {
    for kind in RepoID.Kind.allCases where text.hasPrefix("\(kind.plural)/") {
      let name = String(text.dropFirst(kind.plural.count + 1))
      // "models/x" can be a model of the user "models".
      if kind != .model || name.contains("/") {
        try self.init(name, kind: kind)
        return
      }
    }
    try self.init(text)
  }
}
