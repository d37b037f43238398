// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
package import Merging
internal import Storage
package import SystemPackage

/// Fetch, merge, card and push as one job that can be broken off and run again.
///
/// The model is built in a folder of its own below `workspace` and stays there until it is published. Run again,
/// a release goes on after the last finished shard, or with the upload if the model was complete.
package struct Release: Sendable {
  package struct Result: Sendable {
    package let plan: MergePlan
    /// Nil if the model was complete from an earlier run.
    package let build: ModelBuild.Result?
    package let publication: Publication.Result
  }

  package let build: ModelBuild
  package let publication: Publication
  /// Where work in progress is kept between runs.
  package let workspace: FilePath
  package let template: CardTemplate

  package init(
    build: ModelBuild, publication: Publication, workspace: FilePath, template: CardTemplate
  ) {
    self.build = build
    self.publication = publication
    self.workspace = workspace
    self.template = template
  }

  package func run() async throws -> Result {
    let id = publication.repository.id
    let folder = workspace.appending("\(id.namespace ?? "")--\(id.name)")
    try FileSystem.createFolder(folder)
    guard let lock = try FileLock.tryLock(folder.appending("lock")) else {
      throw ReleaseInProgress(folder: folder)
    }
    let plan = try await build.plan()
    try await build.fetchWeights(plan)

    let model = folder.appending("model")
    let fingerprint = try plan.fingerprint(toolVersion: build.toolVersion).hex
    var result: ModelBuild.Result?
    if finishedFingerprint(folder) != fingerprint {
      try FileSystem.remove(model)
      result = try await build.write(
        plan, to: model, replacing: false, repository: id.description, template: template)
      try FileSystem.write(fingerprint, to: folder.appending("finished"), durable: true)
    }
    let publication = try await publication.push(model)
    withExtendedLifetime(lock) {}
    try FileSystem.remove(folder)
    return Result(plan: plan, build: result, publication: publication)
  }

  /// The fingerprint of the model that an earlier run has completed.
  private func finishedFingerprint(_ folder: FilePath) -> String? {
    guard let bytes = try? FileSystem.read(folder.appending("finished")) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Another process is at work on the same release.
package struct ReleaseInProgress: Error, Sendable {
  package let folder: FilePath
}
