// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Storage

/// A point of a repository's history.
struct Commit: Hashable, Sendable {
  let tree: Digest
  let parents: [CommitID]
  let title: String
  let description: String
  let author: String
  let date: Timestamp

  /// The whole message: title, empty line, description.
  var message: String { description.isEmpty ? title : "\(title)\n\n\(description)" }

  /// The entry as the hub's history shows it.
  func listed(_ id: CommitID) -> JSON {
    [
      "id": .string(id.hex), "title": .string(title), "message": .string(description),
      "authors": [["user": .string(author), "avatar": ""]], "date": .string(date.iso8601),
    ]
  }
}

// MARK: - On disk

extension Commit {
  var stored: JSON {
    [
      "tree": .string(tree.hex), "parents": .array(parents.map { .string($0.hex) }),
      "title": .string(title), "description": .string(description), "author": .string(author),
      "date": .int(date.seconds),
    ]
  }

  init?(stored: JSON) {
    guard let tree = stored["tree"]?.string.flatMap(Digest.init(hex:)),
      let title = stored["title"]?.string, let description = stored["description"]?.string,
      let author = stored["author"]?.string, let date = stored["date"]?.int
    else { return nil }
    self.tree = tree
    parents = stored["parents"]?.array?.compactMap { $0.string.flatMap(CommitID.init) } ?? []
    self.title = title
    self.description = description
    self.author = author
    self.date = Timestamp(seconds: date)
  }
}
