// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub
package import Merging
internal import Storage
internal import Weights

/// What a release will need, and whether it may be made, found out without changing anything.
package struct ReleaseForecast: Sendable {
  package let plan: MergePlan
  package let account: Account?
  package let isNewRepository: Bool
  /// Bytes of the models that have to come over the network.
  package let bytesToDownload: Int
  /// Bytes of the new model, most of which have to be sent.
  package let bytesToUpload: Int
  /// Bytes of disk taken at the same time: by models that are fetched, by shards, by stages.
  package let disk: Int
  package let freeDisk: Int?
  package let memory: Int
  package let threads: Int
  package let doubts: [String]
}

extension Release {
  /// Does everything that `run` does up to the first change and the first weight.
  package func forecast() async throws -> ReleaseForecast {
    let plan = try await build.plan()
    let means = try means(for: plan)
    try await publication.repository.checkCard(card(of: plan))
    var (account, doubts) = try await publication.permissions()
    let ground = try await publication.existingGround()
    if ground != nil { doubts = [] }
    let download = try await bytesToDownload(plan)
    let output = plan.layout.fileSize
    let stages = plan.stages.reduce(0) { $0 + $1.plan.layout.fileSize }
    let disk =
      stages
      + (limits.isStreaming
        ? min(means.room ?? output, output) + limits.spool(at: folder) : download + output)
    let free = FileSystem.freeSpace(at: folder)
    if let free, free < disk { doubts.append("the disk is too small") }
    return ReleaseForecast(
      plan: plan, account: account, isNewRepository: ground == nil, bytesToDownload: download,
      bytesToUpload: output, disk: disk, freeDisk: free,
      memory: memory(plan, means.threads), threads: means.threads, doubts: doubts)
  }

  /// Streaming reads just what the merge needs; otherwise whole repositories come, but for what is here.
  private func bytesToDownload(_ plan: MergePlan) async throws -> Int {
    var total = 0
    var seen: Set<String> = []
    for part in [plan] + plan.stages.map(\.plan) {
      for model in part.models {
        guard let id = model.source.hubID, let commit = model.source.commit.flatMap(CommitID.init),
          seen.insert("\(id)@\(commit)").inserted
        else { continue }
        let forecast = try await build.source.hub.model(id)
          .forecast(commit.revision, .forMerging, into: .cache(build.source.cache))
        total += forecast.missing
      }
    }
    return limits.isStreaming ? min(total, plan.inputBytes) : total
  }
}
