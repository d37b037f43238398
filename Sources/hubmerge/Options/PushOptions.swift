// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Hub
internal import Publishing

/// How a model is published.
struct PushOptions: ParsableArguments {
  @Flag(name: .customLong("private"), help: "Create the repository as private.")
  var isPrivate = false

  @Flag(name: .customLong("public"), help: "Create the repository as public.")
  var isPublic = false

  @Option(name: [.short, .long], help: "Title of the commit.")
  var message: String?

  @Option(name: [.customLong("revision"), .customLong("branch")], help: "Branch to commit to.")
  var revision = "main"

  func validate() throws {
    if isPrivate, isPublic { throw ValidationError("--private and --public exclude each other.") }
    if Revision(revision) == nil { throw ValidationError("\"\(revision)\" is not a branch.") }
  }

  /// - Parameter title: Of the commit, unless the user has given one.
  func publication(to id: RepoID, _ client: HubClient, title: String) -> Publication {
    Publication(
      to: client.repository(id), visibility: isPrivate ? .private : isPublic ? .public : nil,
      revision: Revision(revision) ?? .main, message: CommitMessage(message ?? title))
  }
}
