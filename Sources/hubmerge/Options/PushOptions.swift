// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import Publishing
internal import SystemPackage

/// How a model is published.
struct PushOptions: ParsableArguments {
  @Flag(name: .customLong("private"), help: "Create the repository as private.")
  var isPrivate = false

  @Flag(name: .customLong("public"), help: "Create the repository as public.")
  var isPublic = false

  @Flag(
    inversion: .prefixedNo,
    help: "Take a repository that exists already; otherwise that is an error.")
  var existOk = true

  @Option(
    name: [.short, .long, .customLong("commit-message")],
    help: ArgumentHelp("Title of the commit.", valueName: "title"))
  var message: String?

  @Option(
    name: [.customLong("revision"), .customLong("branch")],
    help: "Branch to commit to; made from main if there is none.")
  var revision = "main"

  @Flag(
    name: [.customLong("pr"), .customLong("create-pr")],
    help: "Open a pull request and commit to it.")
  var pullRequest = false

  @Option(help: ArgumentHelp("Make a tag of the commit.", valueName: "name"))
  var tag: String?

  @Option(
    help: ArgumentHelp(
      "Only if this is the newest commit, in 40 hexadecimal digits.", valueName: "commit"))
  var parentCommit: String?

  @Option(
    help: ArgumentHelp(
      "Delete files of the repository whose path matches, unless they are pushed; may be repeated.",
      valueName: "glob"))
  var delete: [String] = []

  @Flag(help: "Tell only what would be done, permissions checked, nothing changed on the hub.")
  var dryRun = false

  @Flag(help: "Read the commit again and compare every digest.")
  var verify = false

  func validate() throws {
    if isPrivate, isPublic { throw ValidationError("--private and --public exclude each other.") }
    guard let branch = Revision(revision), branch.commit == nil else {
      throw ValidationError("\"\(revision)\" is not a branch.")
    }
    if pullRequest, branch != .main {
      throw ValidationError("--pr is for main; it excludes --branch.")
    }
    if pullRequest, tag != nil {
      throw ValidationError("--pr excludes --tag: tag the commit when it is accepted.")
    }
    if let tag, Revision(tag) == nil { throw ValidationError("\"\(tag)\" cannot be a tag.") }
    if let parentCommit, CommitID(parentCommit) == nil {
      throw ValidationError("--parent-commit: \"\(parentCommit)\" is not a commit.")
    }
  }

  /// - Parameter title: Of the commit, unless the user has given one.
  func publication(
    to id: RepoID, _ client: HubClient, title: String, state: FilePath
  ) -> Publication {
    var terms = Publication.Terms(message: CommitMessage(message ?? title))
    terms.visibility = isPrivate ? .private : isPublic ? .public : nil
    terms.acceptsExisting = existOk
    terms.target = pullRequest ? .pullRequest : .branch(Revision(revision) ?? .main)
    terms.parent = parentCommit.flatMap { CommitID($0) }
    terms.deleting = delete.map(GlobPattern.init)
    terms.tag = tag.flatMap { Revision($0) }
    terms.verifies = verify
    return Publication(to: client.repository(id), terms, state: state)
  }
}
