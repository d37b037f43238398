// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// A pull request on the Hub.
package struct PullRequest: Hashable, Sendable {
  package let number: Int
  /// What to commit to.
  package var revision: Revision { .pullRequest(number) }
}

extension Repository {
  /// Opens a pull request, a draft with no commits of its own yet.
  ///
  /// - Parameter title: 3 to 200 characters.
  package func createPullRequest(title: String, description: String = "") async throws
    -> PullRequest
  {
    let body = JSON.object([
      "title": .string(title), "description": .string(description), "pullRequest": .bool(true),
    ])
    let json = try await connection.json(
      .post, urls.discussions(id), body, about: id, retry: .never)
    guard let number = json["num"]?.int, number > 0 else {
      throw HubError(.unexpectedReply("a pull request without a number"), repository: id)
    }
    return PullRequest(number: number)
  }

  /// The pull request of a number, if there is one that is neither merged nor closed.
  package func openPullRequest(_ number: Int) async throws -> PullRequest? {
    do {
      let json = try await connection.json(urls.discussion(id, number), about: id)
      guard json["isPullRequest"]?.bool == true,
        ["draft", "open"].contains(json["status"]?.string)
      else { return nil }
      return PullRequest(number: number)
    } catch let error as HubError where error.kind == .notFound {
      return nil
    }
  }

  /// Tells that a draft is ready to be looked at.
  package func publish(_ pullRequest: PullRequest) async throws {
    _ = try await connection.json(
      .post, urls.discussionStatus(id, pullRequest.number), .object(["status": .string("open")]),
      about: id)
  }
}
