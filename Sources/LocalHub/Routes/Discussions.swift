// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

extension Route {
  static let createDiscussion = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions", access: .read
  ) { exchange in
    try exchange.service.requireWritable()
    guard let author = exchange.caller.name else {
      throw HubFailure(.unauthorized, "Invalid username or password.")
    }
    let body = try exchange.json()
    let title = body["title"]?.string ?? ""
    guard (3...200).contains(title.count) else {
      throw HubFailure.badRequest("\"title\" must have 3 to 200 characters")
    }
    let repository = try exchange.repository
    let isPullRequest = body["pullRequest"]?.bool ?? false
    let discussion = try repository.open(
      title: title, description: body["description"]?.string ?? "", author: author,
      base: isPullRequest ? try repository.resolve("main") : nil,
      status: isPullRequest ? .draft : .open)
    return .json([
      "num": .int(discussion.number), "pullRequest": .bool(isPullRequest),
      "url": .string(exchange.url(of: discussion.number, repository.id)),
    ])
  }

  static let listDiscussions = Route(
    .GET, path: "/api/:type/:namespace/:repo/discussions", access: .read
  ) { exchange in
    let repository = try exchange.repository
    let start = (exchange.request["p"].flatMap { Int($0) } ?? 0).clamped(to: 0...1_000_000) * 50
    let all = try repository.discussions()
    return .json([
      "discussions": .array(all.dropFirst(start).prefix(50).map { $0.listed(repository.id) }),
      "count": .int(all.count), "start": .int(start),
    ])
  }

  static let discussion = Route(
    .GET, path: "/api/:type/:namespace/:repo/discussions/:number", access: .read
  ) { exchange in
    let repository = try exchange.repository
    return .json(try exchange.discussion().detailed(repository.id))
  }

  static let discussionStatus = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/status", access: .write
  ) { exchange in
    let number = try exchange.discussion().number
    let status = try exchange.json()["status"]?.string.flatMap(Discussion.Status.init)
    guard let status, status == .open || status == .closed else {
      throw HubFailure.badRequest("\"status\" must be \"open\" or \"closed\"")
    }
    _ = try exchange.repository.set(status, of: number)
    return .json([
      "newStatus": exchange.event("status-change", ["status": .string(status.rawValue)])
    ])
  }

  static let mergeDiscussion = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions/:number/merge", access: .write
  ) { exchange in
    let number = try exchange.discussion().number
    let comment = try exchange.json()["comment"]?.string ?? ""
    _ = try exchange.repository.merge(
      number, author: exchange.caller.name ?? "local", comment: comment)
    return .json([
      "newStatus": exchange.event("status-change", ["status": "merged"])
    ])
  }
}

extension Exchange {
  func url(of number: Int, _ id: RepoID) -> String {
    "\(hubOrigin)/\(id.webPath)/discussions/\(number)"
  }

  fileprivate func discussion() throws -> Discussion {
    guard let number = Int(try name("number")), let found = try repository.discussion(number) else {
      throw HubFailure(.notFound, "There is no discussion \(names["number"] ?? "")")
    }
    return found
  }

  fileprivate func event(_ type: String, _ data: JSON) -> JSON {
    [
      "id": .string(request.id), "type": .string(type), "createdAt": .string(Timestamp.now.iso8601),
      "author": ["name": .string(caller.name ?? "local")], "data": data,
    ]
  }
}

extension Discussion {
  fileprivate func listed(_ id: RepoID) -> JSON {
    [
      "num": .int(number), "title": .string(title), "status": .string(status.rawValue),
      "isPullRequest": .bool(isPullRequest), "author": ["name": .string(author)],
      "createdAt": .string(created.iso8601),
      "repo": ["name": .string(id.description), "type": .string(id.kind.rawValue)],
    ]
  }

  fileprivate func detailed(_ id: RepoID) -> JSON {
    let comment: JSON = [
      "id": .string("\(number)"), "type": "comment", "createdAt": .string(created.iso8601),
      "author": ["name": .string(author)],
      "data": ["latest": ["raw": .string(description)], "edited": false, "hidden": false],
    ]
    let detailed = listed(id).setting("events", to: .array([comment]))
    guard let base else { return detailed }
    return
      detailed
      .setting(
        "changes",
        to: .object([
          "base": "refs/heads/main", "baseCommit": .string(base.hex),
          "mergeCommitId": merge.map { .string($0.hex) } ?? .null,
        ])
      )
      .setting("filesWithConflicts", to: [])
  }
}

extension Comparable {
  fileprivate func clamped(to range: ClosedRange<Self>) -> Self {
    min(max(self, range.lowerBound), range.upperBound)
  }
}
