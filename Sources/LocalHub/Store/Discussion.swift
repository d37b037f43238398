// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage
internal import Synchronization
internal import SystemPackage

/// A discussion or a pull request.
struct Discussion: Sendable {
  enum Status: String { case draft, open, closed, merged }

  let number: Int
  var title: String
  let author: String
  let created: Timestamp
  var status: Status
  /// The commit that a pull request began at; nil for a mere discussion.
  let base: CommitID?
  /// The commit that a merge made.
  var merge: CommitID?
  /// The first is the text that it began with.
  var events: [DiscussionEvent]

  var isPullRequest: Bool { base != nil }

  var stored: JSON {
    .object([
      "number": .int(number), "title": .string(title),
      "events": .array(events.map(\.stored)), "author": .string(author),
      "created": .int(created.seconds),
      "status": .string(status.rawValue), "base": base.map { .string($0.hex) },
      "merge": merge.map { .string($0.hex) },
    ])
  }
}

extension Discussion {
  init?(stored: JSON) {
    guard let number = stored["number"]?.int, let title = stored["title"]?.string,
      let author = stored["author"]?.string, let created = stored["created"]?.int,
      let status = stored["status"]?.string.flatMap(Status.init)
    else { return nil }
    self.number = number
    self.title = title
    events = (stored["events"]?.array ?? []).compactMap(DiscussionEvent.init)
    self.author = author
    self.created = Timestamp(seconds: created)
    self.status = status
    base = stored["base"]?.string.flatMap(CommitID.init)
    merge = stored["merge"]?.string.flatMap(CommitID.init)
  }
}

extension StoredRepository {
  private func path(ofDiscussion number: Int) -> FilePath {
    folder.appending("discussions").appending("\(number).json")
  }

  /// All discussions, the newest first.
  func discussions() throws -> [Discussion] {
    try FileSystem.names(in: folder.appending("discussions")).compactMap { name in
      name.hasSuffix(".json") ? Int(name.dropLast(5)).flatMap { discussion($0) } : nil
    }.sorted { $0.number > $1.number }
  }

  func discussion(_ number: Int) -> Discussion? {
    guard let bytes = try? FileSystem.read(path(ofDiscussion: number)),
      let value = try? JSON.parse(bytes)
    else { return nil }
    return Discussion(stored: value)
  }

  private func save(_ discussion: Discussion) throws {
    try FileSystem.write(
      discussion.stored.serialized(.compact), to: path(ofDiscussion: discussion.number),
      durable: true)
  }

  /// Begins a discussion, or a pull request on top of `base`.
  func open(
    title: String, description: String, author: String, base: CommitID?, status: Discussion.Status
  ) throws -> Discussion {
    try changing.withLock { _ in
      let number = (try discussions().first?.number ?? 0) + 1
      let discussion = Discussion(
        number: number, title: title, author: author, created: .now, status: status, base: base,
        events: [DiscussionEvent(author: author, .comment(description))])
      if let base { try refs.set(.pullRequest, "\(number)", to: base) }
      try save(discussion)
      return discussion
    }
  }

  /// Changes a discussion, if `body` does not throw.
  func change(_ number: Int, _ body: (inout Discussion) throws -> Void) throws {
    try changing.withLock { _ in
      guard var discussion = discussion(number) else {
        throw HubFailure(.notFound, "There is no discussion \(number)")
      }
      try body(&discussion)
      try save(discussion)
    }
  }

  /// The commits of a pull request, the oldest first.
  func commits(of discussion: Discussion) throws -> [(id: CommitID, commit: Commit)] {
    guard let base = discussion.base else { return [] }
    var found: [(id: CommitID, commit: Commit)] = []
    var next = refs.commit(.pullRequest, "\(discussion.number)")
    while let id = next, id != base {
      let commit = try commit(id)
      found.append((id, commit))
      next = commit.parents.first
    }
    return found.reversed()
  }

  /// Brings the files that a pull request changed into `main`.
  ///
  /// - Throws: `HubFailure` 409 if `main` has other content in one of these files by now.
  func merge(_ number: Int, author: String, comment: String, event: DiscussionEvent) throws {
    try changing.withLock { _ in
      guard var discussion = discussion(number), let base = discussion.base,
        let head = refs.commit(.pullRequest, "\(number)"), let main = refs.commit(.branch, "main")
      else { throw HubFailure(.notFound, "There is no pull request \(number)") }
      guard discussion.status == .open || discussion.status == .draft else {
        throw HubFailure.badRequest("The pull request is \(discussion.status.rawValue)")
      }
      let change = Change(
        title: "\(discussion.title) (#\(number))", description: comment,
        edits: try edits(from: base, to: head, onto: main), author: author)
      let id = try extend([main, head], with: change)
      try refs.set(.branch, "main", to: id)
      discussion.status = .merged
      discussion.merge = id
      discussion.events.append(event)
      try save(discussion)
    }
  }

  private func edits(from base: CommitID, to head: CommitID, onto main: CommitID) throws
    -> [CommitEdit]
  {
    let (old, new, current) = (try tree(base), try tree(head), try tree(main))
    var edits: [CommitEdit] = []
    for path in Set((old.entries + new.entries).map(\.path)).sorted() where old[path] != new[path] {
      guard current[path] != new[path] else { continue }
      guard current[path] == old[path] || path == ".gitattributes" else {
        throw HubFailure(.conflict, "The pull request conflicts with main in \(path)")
      }
      edits.append(new[path].map { .put($0) } ?? .delete(path))
    }
    return edits
  }
}
