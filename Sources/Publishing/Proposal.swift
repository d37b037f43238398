// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage
internal import SystemPackage

/// A pull request that was opened for a push, remembered until its commit is made: a push that is broken off in
/// between goes on with it and does not open another one.
struct Proposal: Sendable {
  let request: PullRequest
  private let note: FilePath

  /// The pull request of an earlier run if it is still open, or a new one.
  static func open(for message: CommitMessage, on repository: Repository, in state: FilePath)
    async throws -> Proposal
  {
    let folder = state.appending("proposals")
    let note = folder.appending("\(repository.id.namespace ?? "")--\(repository.id.name)")
    if let bytes = try? FileSystem.read(note), let json = try? JSON.parse(bytes),
      let number = json["number"]?.int, json["title"]?.string == message.title,
      let request = try await repository.openPullRequest(number)
    {
      return Proposal(request: request, note: note)
    }
    try FileSystem.createFolder(folder)
    let request = try await repository.createPullRequest(
      title: String((message.title.count < 3 ? "Add \(message.title)" : message.title).prefix(200)),
      description: message.description)
    let json = JSON.object([
      "number": .int(request.number), "title": .string(message.title),
    ])
    try FileSystem.write(json.serialized(.compact), to: note, durable: true)
    return Proposal(request: request, note: note)
  }

  /// Shows the pull request to those who may accept it, and forgets it.
  func close(on repository: Repository) async throws {
    // Whoever may not do this leaves a draft, which is as good.
    try? await repository.publish(request)
    try FileSystem.remove(note)
  }
}
