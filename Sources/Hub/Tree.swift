// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
package import Storage

/// One file of a repository at a commit.
package struct TreeEntry: Hashable, Sendable {
  /// Relative, checked: it stays inside the folder that it is joined to.
  package let path: String
  /// Length of the content in bytes.
  package let size: Int
  /// Git's SHA-1 of what git stores: the content, or the pointer to it.
  package let gitID: String
  /// SHA-256 of the content of a large file; nil if git stores the content itself.
  package let lfsID: String?
  package let xetHash: String?

  /// The content's name in the cache and in `ETag` headers.
  package var etag: String { lfsID ?? gitID }

  /// The digest to check the content against; nil if the etag is none (on servers other than the Hub).
  package var digest: Digest? { Digest(hex: etag) }

  package init(path: String, size: Int, gitID: String, lfsID: String?, xetHash: String?) {
    self.path = path
    self.size = size
    self.gitID = gitID
    self.lfsID = lfsID
    self.xetHash = xetHash
  }
}

/// All files of a repository at one commit.
package struct Tree: Sendable {
  package let commit: CommitID
  package let files: [TreeEntry]

  package init(commit: CommitID, files: [TreeEntry]) {
    self.commit = commit
    self.files = files
  }

  package subscript(path: String) -> TreeEntry? { files.first { $0.path == path } }
}

extension TreeEntry {
  /// An entry of a listing; nil for a folder.
  ///
  /// - Throws: `HubError` for an unsafe path or a missing field.
  init?(listing json: JSON, repository: RepoID) throws {
    guard json["type"]?.string == "file" else { return nil }
    guard let path = json["path"]?.string, let id = json["oid"]?.string else {
      throw HubError(.unexpectedReply("a file without path or oid"), repository: repository)
    }
    let lfs = json["lfs"]
    guard let size = lfs?["size"]?.int ?? json["size"]?.int, size >= 0, size < 1 << 60 else {
      throw HubError(.unexpectedReply("no size for \(path)"), repository: repository)
    }
    self.init(
      path: try SafePath.check(path), size: size, gitID: try ETag.check(id),
      lfsID: try lfs?["oid"]?.string.map { try ETag.check($0) }, xetHash: json["xetHash"]?.string)
  }
}

extension Repository {
  /// All files at a commit, page by page.
  package func tree(_ commit: CommitID) async throws -> Tree {
    var files: [TreeEntry] = []
    var url: WebURL? = urls.tree(id, commit.revision, recursive: true)
    var pages = 0
    while let current = url {
      let (page, next) = try await page(current)
      for entry in page.array ?? [] {
        if let file = try TreeEntry(listing: entry, repository: id) { files.append(file) }
      }
      pages += 1
      guard files.count <= 1_000_000, pages <= 10_000 else {
        throw HubError(.unexpectedReply("a listing without end"), repository: id)
      }
      url = next
    }
    return Tree(commit: commit, files: files)
  }

  /// One page of a listing, and the next one's address, which must be on the Hub itself.
  func page(_ url: WebURL) async throws -> (json: JSON, next: WebURL?) {
    let (reply, json) = try await connection.document(HTTPRequest(.get, url), about: id)
    guard let next = LinkHeader(reply.headers)["next"] else { return (json, nil) }
    guard let target = reply.url.resolving(next), target.origin == urls.endpoint.origin else {
      throw HubError(.unexpectedReply("the next page is on another server"), repository: id)
    }
    return (json, target)
  }
}
