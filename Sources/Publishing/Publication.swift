// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub
package import SystemPackage

/// Putting a model folder on a hub: the repository, the files, one commit.
package struct Publication: Sendable {
  package let repository: Repository
  package let visibility: Visibility?
  package let revision: Revision
  package let message: CommitMessage

  package init(
    to repository: Repository, visibility: Visibility? = nil, revision: Revision = .main,
    message: CommitMessage
  ) {
    self.repository = repository
    self.visibility = visibility
    self.revision = revision
    self.message = message
  }

  /// Creates the repository unless it exists and uploads what it does not have.
  package func push(_ folder: FilePath) async throws -> UploadResult {
    let files = try UploadFile.files(in: folder)
    try await repository.client.createRepository(repository.id, visibility: visibility)
    return try await repository.upload(files, to: revision, message: message)
  }
}
