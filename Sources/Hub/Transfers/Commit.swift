// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage

/// A commit that has been made.
struct CommitResult: Sendable {
  let commit: CommitID
  /// As the server gave it.
  let url: String?
}

/// The making of one commit.
struct Commit: Sendable {
  let repository: Repository
  let revision: Revision
  let message: CommitMessage
  let parent: CommitID?
  let operations: [CommitOperation]

  private var connection: HubConnection { repository.connection }

  /// Sends the commit. One whose reply was lost may have been made all the same: before it is sent
  /// again, and before it is given up, the head's files are compared with what was sent.
  func run() async throws -> CommitResult {
    let body = CommitBody(
      title: message.title, description: message.description, parent: parent, operations
    ).body
    // The Hub gives up after a minute.
    let request = HTTPRequest(
      .post, repository.urls.commit(repository.id, revision),
      headers: ["Content-Type": "application/x-ndjson"], body: body, patience: 180)
    var retries = HubConnection.Retries(connection.configuration.retry)
    var isUncertain = false
    while true {
      let outcome = try await connection.attempt(request, about: repository.id)
      if case .success(let reply) = outcome, reply.isSuccess { return try result(of: reply) }
      isUncertain = isUncertain || Self.mayHaveSucceeded(outcome)
      do {
        try await connection.pause(&retries, after: outcome, request, about: repository.id)
      } catch let failure as HubError {
        if isUncertain, let made = try? await madeCommit() { return made }
        throw Self.namingLostObjects(failure)
      }
      if isUncertain, let made = try? await madeCommit() { return made }
    }
  }

  /// The failure with the objects that it is about, if the store does not have what the commit names.
  private static func namingLostObjects(_ failure: HubError) -> HubError {
    guard failure.kind == .badRequest, let message = failure.exchange?.message,
      message.contains("LFS pointer pointed to a file that does not exist")
    else { return failure }
    let words = message.split { !$0.isHexDigit }
    let lost = words.compactMap { Digest(hex: String($0)) }.filter { $0.algorithm == .sha256 }
    guard !lost.isEmpty else { return failure }
    return HubError(
      .objectsMissing(lost), repository: failure.repository, exchange: failure.exchange)
  }

  private static func mayHaveSucceeded(_ outcome: Result<HTTPResponse, TransportError>) -> Bool {
    switch outcome {
    case .success(let reply): reply.status >= 500
    case .failure(let error): error.kind == .timedOut || error.kind == .interrupted
    }
  }

  private func result(of reply: HTTPResponse) throws -> CommitResult {
    let json = try? JSON.parse(reply.body)
    guard let commit = json?["commitOid"]?.string.flatMap({ CommitID($0) }) else {
      throw HubError(
        .unexpectedReply("a commit without its id"), repository: repository.id,
        exchange: .init(method: "POST", url: reply.url.description, status: reply.status))
    }
    return CommitResult(commit: commit, url: json?["commitUrl"]?.string)
  }

  /// The head, if it is what this commit would make of it.
  private func madeCommit() async throws -> CommitResult? {
    let head = try await repository.info(revision).commit
    guard head != parent else { return nil }
    let present = Dictionary(
      try await repository.tree(head).files.map { ($0.path, $0.etag) },
      uniquingKeysWith: { first, _ in first })
    let isMade = operations.allSatisfy { operation in
      switch operation {
      case .add(let staged): present[staged.path] == staged.digest.hex
      case .delete(let path): present[path] == nil
      }
    }
    return isMade ? CommitResult(commit: head, url: nil) : nil
  }
}

/// What a commit says about itself.
package struct CommitMessage: Hashable, Sendable {
  package var title: String
  package var description: String

  package init(_ title: String, description: String = "") {
    self.title = title
    self.description = description
  }
}
