// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a transfer tells while it runs; a program draws its progress from these.
package enum HubEvent: Sendable {
  /// One file of a repository, as events name it.
  package struct RepositoryFile: Hashable, Sendable {
    package let repository: RepoID
    package let path: String
  }

  package enum Direction: Sendable { case download, upload }

  package enum WaitReason: Hashable, Sendable {
    /// The request quota is used up.
    case rateLimit
    /// The server cannot answer at the moment; its status.
    case busy(status: Int)
    /// There was no reply.
    case noReply(reason: String)
    /// Another process is downloading the same file.
    case lock(path: String)
  }

  /// What a transfer is about to move, before the first file.
  case planned(Direction, RepoID, files: Int, bytes: Int)
  case started(Direction, RepositoryFile, bytes: Int)
  /// Bytes moved since the last event; negative if some have to be moved again.
  case advanced(Direction, RepositoryFile, bytes: Int)
  /// Bytes of a file read to compute its digest.
  case hashed(RepositoryFile, bytes: Int)
  /// A file that is there already.
  case reused(Direction, RepositoryFile, bytes: Int)
  case finished(Direction, RepositoryFile, bytes: Int)
  /// A pause before the next attempt.
  case waiting(WaitReason, seconds: Double)
  /// Something the Hub, or a transfer, wants the user to know.
  case warning(String)
}

package typealias HubObserver = @Sendable (HubEvent) -> Void
