// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Logging
package import SystemPackage

extension HubServer {
  /// What a server serves, where, and to whom.
  package struct Configuration: Sendable {
    /// The folder of all repositories; created if it is missing.
    package var root: FilePath
    /// The address to listen on: nobody but this machine, unless told otherwise.
    package var host = "127.0.0.1"
    /// The hub's port; 0 for any that is free.
    package var port = 0
    /// The port of the origin that large files come from and go to; 0 for any that is free.
    package var blobPort = 0
    /// Without tokens everybody is the user "local", who may do everything.
    package var tokens: [AccessToken] = []
    /// Whether requests without a token may change public repositories although there are tokens.
    package var allowsAnonymousWrite = false
    /// Whether to refuse all changes.
    package var isReadOnly = false
    package var faults: Faults?
    package var logger: Logger?

    /// Entries per page of a listing.
    package var pageSize = 1000
    /// Seconds that a link to or for a large file is good for.
    package var linkLifetime = 3600
    /// Objects of more bytes are uploaded in parts.
    package var multipartThreshold = 64 << 20
    package var partSize = 32 << 20
    /// Files of more bytes have to be uploaded as objects.
    package var regularFileLimit = 10 << 20
    /// Bytes of one commit's request.
    package var commitSizeLimit = 512 << 20

    package var connectionLimit = 512
    /// How long a client may take to send the head of a request; also how long a connection may idle.
    package var headTimeout = Duration.seconds(30)
    /// How long a client may pause inside a body, its own or ours.
    package var idleTimeout = Duration.seconds(120)
    /// How long a client may take to send a body that is kept in memory.
    package var bodyTimeout = Duration.seconds(300)

    package init(root: FilePath) { self.root = root }
  }

  /// Why a server does not start.
  package enum Failure: Error, Hashable {
    /// Another server works on this folder.
    case folderInUse(FilePath)
    /// The address cannot be listened on; with the system's reason.
    case cannotListen(host: String, port: Int, reason: String)
    case alreadyStarted
    /// A folder to be imported has a link to a file that is not in it.
    case linkLeavesFolder(FilePath, target: FilePath)
  }
}
