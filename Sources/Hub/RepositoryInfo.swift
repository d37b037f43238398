// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// What the Hub tells about a repository at one revision.
package struct RepositoryInfo: Sendable {
  /// The repository's present name; another one than was asked for if it has been renamed.
  package let name: String
  /// The commit that the revision is.
  package let commit: CommitID
  package let isPrivate: Bool
  /// Whether access has to be granted, and how: `auto`, `manual`; nil if it has not.
  package let gate: String?
  package let tags: [String]
  package let library: String?
  package let pipeline: String?
  /// As the Hub writes it, ISO 8601.
  package let lastModified: String?
  /// The card's metadata.
  package let card: JSON?
}

extension Repository {
  /// What the Hub tells about the repository, with the commit that `revision` is at this moment.
  package func info(_ revision: Revision = .main) async throws -> RepositoryInfo {
    let json = try await connection.json(urls.info(id, revision), about: id)
    guard let commit = json["sha"]?.string.flatMap({ CommitID($0) }) else {
      throw HubError(.unexpectedReply("a revision without a commit"), repository: id)
    }
    return RepositoryInfo(
      name: json["id"]?.string ?? "\(id)", commit: commit,
      isPrivate: json["private"]?.bool ?? false, gate: json["gated"]?.string,
      tags: json["tags"]?.array?.compactMap(\.string) ?? [],
      library: json["library_name"]?.string, pipeline: json["pipeline_tag"]?.string,
      lastModified: json["lastModified"]?.string, card: json["cardData"])
  }

  /// The commit that `revision` is: the revision itself if it is written as one.
  package func commit(of revision: Revision) async throws -> CommitID {
    if let commit = revision.commit { return commit }
    return try await info(revision).commit
  }
}
