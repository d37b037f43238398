// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

/// What happens in a discussion: comments, a new title, its end.
extension Route {
  static let comment = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/comment", access: .read
  ) { exchange in
    try exchange.requireName()
    let event = try exchange.event(.comment(try exchange.text("comment")))
    try exchange.repository.change(try exchange.discussion().number) { $0.events.append(event) }
    return .json(["newMessage": event.listed])
  }

  static let editComment = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/comment/:comment/edit",
    access: .read
  ) { exchange in
    let text = try exchange.text("content")
    return try exchange.changeComment { $0.edit(text) }
  }

  static let hideComment = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/comment/:comment/hide",
    access: .read
  ) { exchange in try exchange.changeComment { $0.hide() } }

  static let discussionTitle = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/title", access: .write
  ) { exchange in
    let title = try exchange.text("title", length: 3...200)
    let discussion = try exchange.discussion()
    let event = try exchange.event(.title(from: discussion.title, to: title))
    try exchange.repository.change(discussion.number) { discussion in
      discussion.title = title
      discussion.events.append(event)
    }
    return .json(["newTitle": event.listed])
  }

  static let discussionStatus = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/status", access: .write
  ) { exchange in
    let body = try exchange.json()
    let status = body["status"]?.string.flatMap(Discussion.Status.init)
    guard let status, status == .open || status == .closed else {
      throw HubFailure.badRequest("\"status\" must be \"open\" or \"closed\"")
    }
    let comment = try body["comment"]?.string.map { try exchange.event(.comment($0)) }
    let event = try exchange.event(.status(status))
    try exchange.repository.change(try exchange.discussion().number) { discussion in
      guard discussion.status != .merged else {
        throw HubFailure.badRequest("The pull request is merged already")
      }
      discussion.status = status
      discussion.events += [comment, event].compactMap(\.self)
    }
    return .json(["newStatus": event.listed])
  }

  static let mergeDiscussion = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/merge", access: .write
  ) { exchange in
    let comment = try exchange.json()["comment"]?.string ?? ""
    let event = try exchange.event(.status(.merged))
    try exchange.repository.merge(
      try exchange.discussion().number, author: exchange.caller.name ?? "local", comment: comment,
      event: event)
    return .json(["newStatus": event.listed])
  }
}

extension Exchange {
  func discussion() throws -> Discussion {
    guard let number = Int(try name("number")), let found = try repository.discussion(number) else {
      throw HubFailure(.notFound, "There is no discussion \(names["number"] ?? "")")
    }
    return found
  }

  /// An event of now and of this caller.
  func event(_ content: DiscussionEvent.Content) throws -> DiscussionEvent {
    DiscussionEvent(author: caller.name ?? "local", content)
  }

  /// - Throws: `HubFailure` 401 for somebody without a name, 403 on a server that shows only.
  func requireName() throws {
    try service.requireWritable()
    guard caller.name != nil else {
      throw HubFailure(.unauthorized, "Invalid username or password.")
    }
  }

  func text(_ key: String, length: ClosedRange<Int> = 1...65_536) throws -> String {
    guard let text = try json()[key]?.string, length.contains(text.count) else {
      throw HubFailure.badRequest(
        "\"\(key)\" must have \(length.lowerBound) to \(length.upperBound) characters")
    }
    return text
  }

  /// Changes a comment of the caller's own; of others' only if the repository is the caller's.
  fileprivate func changeComment(
    _ change: (inout DiscussionEvent) -> Void
  ) throws -> Response {
    try requireName()
    let id = try name("comment")
    let mayChangeAll = caller.canWrite(to: try repository.id.namespace)
    let caller = caller.name
    var changed: DiscussionEvent?
    try repository.change(try discussion().number) { discussion in
      guard let index = discussion.events.firstIndex(where: { $0.isComment && $0.id == id }) else {
        throw HubFailure(.notFound, "There is no comment \(id)")
      }
      guard mayChangeAll || discussion.events[index].author == caller else {
        throw HubFailure(.forbidden, "The comment is somebody else's")
      }
      change(&discussion.events[index])
      changed = discussion.events[index]
    }
    return .json(["updatedComment": changed?.listed ?? .null])
  }
}
