// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

extension Route {
  static let createDiscussion = Route(
    .POST, path: "/api/:type/:namespace/:repo/discussions", access: .read
  ) { exchange in
    try exchange.requireName()
    let body = try exchange.json()
    let title = try exchange.text("title", length: 3...200)
    let repository = try exchange.repository
    let isPullRequest = body["pullRequest"]?.bool ?? false
    let discussion = try repository.open(
      title: title, description: body["description"]?.string ?? "",
      author: exchange.caller.name ?? "local",
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
    let request = exchange.request
    let all = try repository.discussions().filter { discussion in
      if let type = request["type"], type != "all" {
        guard discussion.isPullRequest == (type == "pull_request") else { return false }
      }
      if let status = request["status"], status != "all" {
        let isOpen = discussion.status == .open || discussion.status == .draft
        guard isOpen == (status == "open") else { return false }
      }
      return request["author"].map { $0 == discussion.author } ?? true
    }
    return .json([
      "discussions": .array(all.dropFirst(start).prefix(50).map { $0.listed(repository.id) }),
      "count": .int(all.count), "start": .int(start),
    ])
  }

  static let discussion = Route(
    .GET, path: "/api/:type/:namespace/:repo/discussions/:number", access: .read
  ) { exchange in
    let repository = try exchange.repository
    let discussion = try exchange.discussion()
    return .json(discussion.detailed(repository.id, try repository.commits(of: discussion)))
  }
}

extension Exchange {
  func url(of number: Int, _ id: RepoID) -> String {
    "\(hubOrigin)/\(id.webPath)/discussions/\(number)"
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

  fileprivate func detailed(
    _ id: RepoID, _ commits: [(id: CommitID, commit: Commit)]
  ) -> JSON {
    let made = commits.map { id, commit -> JSON in
      [
        "id": .string(id.hex), "type": "commit", "createdAt": .string(commit.date.iso8601),
        "author": ["name": .string(commit.author)],
        "data": ["subject": .string(commit.title), "oid": .string(id.hex)],
      ]
    }
    // In the order of time, which both spell so that the order of texts is that of time.
    let events = (events.map(\.listed) + made).enumerated().sorted { one, other in
      let (first, second) = (one.element["createdAt"]?.string, other.element["createdAt"]?.string)
      return (first ?? "", one.offset) < (second ?? "", other.offset)
    }
    let detailed = listed(id).setting("events", to: .array(events.map(\.element)))
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
