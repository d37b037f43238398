// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// A branch, a tag or a pull request, and the commit that it names.
package struct Ref: Hashable, Sendable {
  package let name: String
  /// The full name: `refs/heads/main`.
  package let ref: String
  package let commit: CommitID
}

/// The refs of a repository.
package struct Refs: Sendable {
  package let branches: [Ref]
  package let tags: [Ref]
  package let pullRequests: [Ref]
}

/// One commit of a repository's history.
package struct CommitRecord: Hashable, Sendable {
  package let id: CommitID
  package let title: String
  package let message: String
  /// As the Hub writes it, ISO 8601.
  package let date: String?
  package let authors: [String]
}

extension Repository {
  package func refs() async throws -> Refs {
    let json = try await connection.json(urls.refs(id), about: id)
    func list(_ key: String) -> [Ref] {
      (json[key]?.array ?? []).compactMap { entry in
        guard let name = entry["name"]?.string, let ref = entry["ref"]?.string,
          let commit = entry["targetCommit"]?.string.flatMap({ CommitID($0) })
        else { return nil }
        return Ref(name: name, ref: ref, commit: commit)
      }
    }
    return Refs(branches: list("branches"), tags: list("tags"), pullRequests: list("pullRequests"))
  }

  /// The newest commits of a revision.
  ///
  /// - Parameter limit: How many at most.
  package func commits(_ revision: Revision = .main, limit: Int = 1000) async throws
    -> [CommitRecord]
  {
    var found: [CommitRecord] = []
    var url: WebURL? = urls.commits(id, revision)
    while let page = url, found.count < limit {
      let (records, next) = try await commitPage(page)
      found += records
      url = records.isEmpty ? nil : next
    }
    return Array(found.prefix(limit))
  }

  private func commitPage(_ url: WebURL) async throws -> (records: [CommitRecord], next: WebURL?) {
    let (json, next) = try await page(url)
    let records = (json.array ?? []).compactMap { entry -> CommitRecord? in
      guard let id = entry["id"]?.string.flatMap({ CommitID($0) }) else { return nil }
      return CommitRecord(
        id: id, title: entry["title"]?.string ?? "", message: entry["message"]?.string ?? "",
        date: entry["date"]?.string,
        authors: entry["authors"]?.array?.compactMap { $0["user"]?.string } ?? [])
    }
    return (records, next)
  }

  /// Creates a branch.
  ///
  /// - Parameters:
  ///   - start: Where it begins; nil for the head of `main`.
  ///   - existOK: Whether one that is there already is as good.
  /// - Returns: Whether the branch is new.
  @discardableResult
  package func createBranch(
    _ branch: Revision, from start: Revision? = nil, existOK: Bool = false
  ) async throws -> Bool {
    let body = JSON.object(["startingPoint": start.map { .string($0.text) }])
    return try await create(urls.branch(id, branch), body, existOK: existOK)
  }

  /// Creates a tag at a revision.
  ///
  /// - Returns: Whether the tag is new.
  @discardableResult
  package func createTag(
    _ tag: Revision, at revision: Revision = .main, message: String? = nil, existOK: Bool = false
  ) async throws -> Bool {
    let body = JSON.object([
      "tag": .string(tag.text), "message": message.map { .string($0) },
    ])
    return try await create(urls.tag(id, revision), body, existOK: existOK)
  }

  package func deleteBranch(_ branch: Revision) async throws {
    _ = try await connection.send(HTTPRequest(.delete, urls.branch(id, branch)), about: id)
  }

  package func deleteTag(_ tag: Revision) async throws {
    _ = try await connection.send(HTTPRequest(.delete, urls.tag(id, tag)), about: id)
  }

  private func create(_ url: WebURL, _ body: JSON, existOK: Bool) async throws -> Bool {
    do {
      _ = try await connection.json(.post, url, body, about: id)
      return true
    } catch let error as HubError where existOK && error.kind == .conflict {
      return false
    }
  }
}
