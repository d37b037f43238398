// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

extension MergedModel {
  /// Merges the plan's stages into a hidden folder beside the target and hands the rest of the plan, which reads
  /// them, to `body`; then the folder is removed.
  ///
  /// Interrupted, the folder stays: stages that are finished in it are not merged again.
  func withStages(
    toolVersion: String, _ merge: (MergePlan, FilePath) throws -> Void,
    then body: (MergePlan) throws -> Void
  ) throws {
    guard !plan.stages.isEmpty else { return try body(plan) }
    let folder = hiddenSibling("stages")
    let placed = plan.placed(in: folder)
    for stage in placed.stages {
      let result = MergePlan.Stage.place(stage.name, in: folder)
      let mark = folder.appending("\(stage.name).done")
      let fingerprint = try stage.plan.fingerprint(toolVersion: toolVersion).hex
      if let known = try? FileSystem.read(mark), known == Array(fingerprint.utf8),
        FileSystem.kind(result) == .folder
      {
        continue
      }
      try? FileSystem.remove(mark)
      try merge(stage.plan, result)
      try FileSystem.write(Array(fingerprint.utf8), to: mark, durable: true)
    }
    var last = placed
    last.stages = []
    try body(last)
    try FileSystem.remove(folder)
  }

  /// A place beside the target for what is needed only while the merge runs.
  func hiddenSibling(_ purpose: String) -> FilePath {
    target.removingLastComponent().appending(
      ".\(target.lastComponent?.string ?? "model").hubmerge-\(purpose)")
  }
}
