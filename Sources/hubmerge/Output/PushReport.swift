// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Publishing

/// What a push has done.
struct PushReport: Report, Sendable {
  let repository: RepoID
  let address: String
  let result: Publication.Result

  private var upload: UploadResult { result.upload }

  var text: String {
    var lines: [String] = []
    if upload.isNewCommit {
      var facts = [Quantity.plural(upload.changed.count, "file") + " to \(repository)"]
      if !upload.unchanged.isEmpty { facts.append("\(upload.unchanged.count) unchanged") }
      if !upload.deleted.isEmpty { facts.append("\(upload.deleted.count) deleted") }
      if upload.commits.count > 1 { facts.append("in \(upload.commits.count) commits") }
      facts.append("\(Quantity.bytes(upload.bytesSent)) sent")
      lines.append("pushed  " + facts.joined(separator: ", "))
    } else {
      lines.append("unchanged  \(repository) has all \(upload.unchanged.count) files already")
    }
    if !upload.ignored.isEmpty {
      lines.append(
        "ignored " + Quantity.plural(upload.ignored.count, "file")
          + " that .gitignore names: " + upload.ignored.prefix(3).joined(separator: ", "))
    }
    if let tag = result.tag { lines.append("tagged  \(tag)") }
    if result.isVerified { lines.append("verified, every digest") }
    return (lines + [url]).joined(separator: "\n")
  }

  /// The page of the commit, or of the pull request.
  var url: String {
    if let request = result.pullRequest {
      return "\(address)/\(repository)/discussions/\(request.number)"
    }
    guard let url = upload.url else { return "\(address)/\(repository)/commit/\(upload.commit)" }
    return url.hasPrefix("/") ? address + url : url
  }

  var json: JSON {
    .object([
      "repository": .string(repository.description), "commit": .string(upload.commit.hex),
      "url": .string(url), "new_repository": .bool(result.isNewRepository),
      "new_commit": .bool(upload.isNewCommit),
      "commits": .array(upload.commits.map { .string($0.hex) }),
      "pull_request": result.pullRequest.map { .int($0.number) },
      "tag": result.tag.map { .string($0.text) }, "verified": .bool(result.isVerified),
      "files": .int(upload.changed.count + upload.unchanged.count),
      "changed": .array(upload.changed.map { .string($0) }),
      "unchanged": .array(upload.unchanged.map { .string($0) }),
      "ignored": .array(upload.ignored.map { .string($0) }),
      "deleted": .array(upload.deleted.map { .string($0) }),
      "bytes_sent": .int(upload.bytesSent), "bytes_reused": .int(upload.bytesReused),
      "seconds": .object(result.phases.map { .init($0.phase, .double($0.seconds)) }),
    ])
  }

  var essence: String { url }

  /// Hands the result to the steps that follow in a workflow of GitHub Actions, if this is one.
  func tellWorkflow() throws {
    try GitHubActions(.process).publish([
      ("repository", repository.description), ("commit", upload.commit.hex), ("url", url),
      ("new_commit", "\(upload.isNewCommit)"), ("bytes_sent", "\(upload.bytesSent)"),
    ])
  }
}

/// What a push would do.
struct RehearsalReport: Report, Sendable {
  let repository: RepoID
  let rehearsal: Rehearsal

  var text: String {
    var lines: [String] = []
    if let account = rehearsal.account {
      lines.append("account  \(account.name)" + (account.role.map { ", \($0.rawValue)" } ?? ""))
    }
    lines.append(
      "would "
        + (rehearsal.isNewRepository
          ? "create \(repository)"
          : rehearsal.changed.isEmpty && rehearsal.deleted.isEmpty
            ? "leave \(repository) as it is"
            : "commit to \(repository)" + (rehearsal.isNewBranch ? ", on a new branch" : "")))
    lines.append(
      "files    \(rehearsal.changed.count) new or changed, \(rehearsal.unchanged.count) unchanged, "
        + "\(rehearsal.deleted.count) deleted, \(rehearsal.ignored.count) ignored")
    lines.append(
      "bytes    \(Quantity.bytes(rehearsal.bytesToSend)) to send of "
        + Quantity.bytes(rehearsal.bytes))
    return (lines + rehearsal.doubts.map { "doubt    \($0)" }).joined(separator: "\n")
  }

  var json: JSON {
    .object([
      "repository": .string(repository.description), "dry_run": true,
      "account": rehearsal.account.map { .string($0.name) },
      "role": rehearsal.account?.role.map { .string($0.rawValue) },
      "new_repository": .bool(rehearsal.isNewRepository),
      "new_branch": .bool(rehearsal.isNewBranch), "files": .int(rehearsal.files),
      "bytes": .int(rehearsal.bytes),
      "changed": .array(rehearsal.changed.map { .string($0) }),
      "unchanged": .array(rehearsal.unchanged.map { .string($0) }),
      "ignored": .array(rehearsal.ignored.map { .string($0) }),
      "deleted": .array(rehearsal.deleted.map { .string($0) }),
      "bytes_to_send": .int(rehearsal.bytesToSend),
      "doubts": .array(rehearsal.doubts.map { .string($0) }),
    ])
  }

  var essence: String { "\(rehearsal.bytesToSend)" }
}
