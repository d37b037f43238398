// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub

/// Why a model is not published, found here and not by the hub.
package enum PublicationError: Error, Sendable {
  /// It was to be private, and exists as a public repository.
  case isPublic(RepoID)
  /// The tag names another commit.
  case tagTaken(Revision, RepoID, commit: CommitID)
  /// The token may only read.
  case readOnlyToken(account: String)
  /// After the commit, these paths do not hold what was sent.
  case notAsPublished(RepoID, commit: CommitID, paths: [String])
}
