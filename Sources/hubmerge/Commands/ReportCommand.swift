// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Glibc
internal import Hub
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import Weights

/// `hubmerge report`: pictures of a merge.
struct ReportCommand: ReportingCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Draw what a merge has done, layer by layer.",
    discussion: """
      Writes drawings (SVG) and a page with all of them into the folder "report" of a merged model: how far the \
      models are from the base and the result from each, where they agree, the parameters as they were applied, \
      where stacked layers come from. Some of the numbers of each tensor are read again, of the sources too. \
      "hubmerge card" shows the drawings that are there.
      """)

  @Argument(
    help: ArgumentHelp("The merged model's folder.", valueName: "folder"), completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("Threads to use.", valueName: "n"))
  var threads: Int?

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let merged = try MergedFolder(folder)
    let lock = try? MergeLock(of: merged.path)
    let recipe = try Recipe(contentsOf: merged.recipe)
    guard recipe.stages.isEmpty else {
      throw UserError(
        status: .usage, what: "there is no report on a recipe of several stages",
        why: "the results of its stages are gone")
    }
    let build = try MergeSetup(CardOptions(), hub, console).build(recipe, as: lock)
    let plan = try await build.plan()
    try await build.fetchWeights(plan)
    let threads = max(1, self.threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    console.progress.begin("report", total: plan.steps.count)
    let title = merged.path.lastComponent?.string ?? "Merged model"
    let files = try await BlockingWork.run { cancellation in
      var record = MergeRecord(plan, title: title)
      try record.observe(
        plan, Checkpoint(folder: merged.path), threads: threads,
        isCancelled: { cancellation.isCancelled },
        onProgress: { _ in console.progress.advance(1) })
      return try record.write(to: merged.path)
    }
    return FilesReport(folder: merged.path, files: files)
  }
}

struct FilesReport: Report, Sendable {
  let folder: FilePath
  let files: [String]

  var text: String {
    files.map { "wrote  \(folder.pushing(FilePath($0)))" }.joined(separator: "\n")
  }
  var json: JSON {
    .object([
      .init("folder", .string(folder.string)),
      .init("files", .array(files.map { .string($0) })),
    ])
  }
  var essence: String {
    folder.appending(MergePictures.folder).appending(ReportPage.fileName).string
  }
}
