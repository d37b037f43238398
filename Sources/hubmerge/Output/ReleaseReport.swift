// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import Merging
internal import Publishing
internal import Weights

/// What a release has done.
struct ReleaseReport: Report, Sendable {
  let result: Release.Result
  let repository: RepoID
  let address: String

  var push: PushReport {
    PushReport(repository: repository, address: address, result: result.publication)
  }

  var text: String {
    let merged = result.build.map { MergeReport(plan: result.plan, result: $0).text }
    return [merged ?? "merged  before, by a run that was broken off", push.text]
      .joined(separator: "\n")
  }

  var json: JSON {
    let merge = result.build.map { MergeReport(plan: result.plan, result: $0).json } ?? .null
    return .object([.init("merge", merge), .init("push", push.json)])
  }

  var essence: String { push.url }
}

/// What a release would need and do.
struct ReleaseForecastReport: Report, Sendable {
  let forecast: ReleaseForecast
  let repository: RepoID

  var text: String {
    var lines: [String] = []
    if let account = forecast.account {
      lines.append("account   \(account.name)" + (account.role.map { ", \($0.rawValue)" } ?? ""))
    }
    lines.append("would " + (forecast.isNewRepository ? "create" : "commit to") + " \(repository)")
    lines.append("download  \(Quantity.bytes(forecast.bytesToDownload))")
    lines.append(
      "upload    \(Quantity.bytes(forecast.bytesToUpload)) at most, in "
        + Quantity.plural(forecast.plan.layout.shards.count, "shard"))
    lines.append(
      "disk      \(Quantity.bytes(forecast.disk))"
        + (forecast.freeDisk.map { " of \(Quantity.bytes($0)) that are free" } ?? ""))
    lines.append(
      "memory    about \(Quantity.bytes(forecast.memory)) with "
        + Quantity.plural(forecast.threads, "thread"))
    return (lines + forecast.doubts.map { "doubt     \($0)" }).joined(separator: "\n")
  }

  var json: JSON {
    .object([
      "repository": .string(repository.description), "dry_run": true,
      "account": forecast.account.map { .string($0.name) },
      "role": forecast.account?.role.map { .string($0.rawValue) },
      "new_repository": .bool(forecast.isNewRepository),
      "sources": .array(forecast.plan.models.map(\.json)),
      "shards": .int(forecast.plan.layout.shards.count),
      "bytes_to_download": .int(forecast.bytesToDownload),
      "bytes_to_upload": .int(forecast.bytesToUpload), "disk": .int(forecast.disk),
      "free_disk": forecast.freeDisk.map { .int($0) }, "memory": .int(forecast.memory),
      "threads": .int(forecast.threads),
      "doubts": .array(forecast.doubts.map { .string($0) }),
    ])
  }

  var essence: String { "\(forecast.disk)" }
}
