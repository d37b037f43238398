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

/// `hubmerge verify`: a model against its lock.
struct Verify: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check that a merged model is what its hubmerge.lock says.",
    discussion: """
      Of a folder every byte is read, and tensors that differ are named. Of a repository the digests that the \
      hub has of its files are compared; the weights are not fetched. With --rebuild the sources are fetched \
      and merged again, all or some of the tensors. The exit code is 65 if anything differs.
      """)

  @Argument(
    help: ArgumentHelp("A merged folder, or an id on the hub.", valueName: "model"),
    completion: .directory)
  var model: String

  @Option(
    help: ArgumentHelp("The lock (default: the one in the folder).", valueName: "file"),
    completion: .file())
  var lock: String?

  @Option(
    help: ArgumentHelp(
      "Write an in-toto statement with SLSA's provenance, if nothing differs.", valueName: "file"),
    completion: .file())
  var provenance: String?

  @Flag(help: "Make the tensors again from the sources, and compare.")
  var rebuild = false

  @Option(help: ArgumentHelp("With --rebuild: the share of the tensors.", valueName: "share"))
  var sample = ShareArgument(share: 1)

  @Option(help: ArgumentHelp("With --sample: decides which.", valueName: "seed"))
  var sampleSeed: UInt64 = 0

  @Option(help: ArgumentHelp("Threads to use.", valueName: "n"))
  var threads: Int?

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let folder = FilePath(model)
    guard FileSystem.kind(folder) == .folder else { return try await published(console) }
    let lock = try lock.map { try MergeLock(file: $0) } ?? MergeLock(of: folder)
    console.progress.begin("verify", total: lock.files.reduce(0) { $0 + $1.size })
    let threads = threadCount
    let result = try await BlockingWork.run { cancellation in
      try LockVerification(
        of: folder, lock, threads: threads, isCancelled: { cancellation.isCancelled },
        onProgress: { console.progress.advance($0) })
    }
    if result.isSound, let provenance {
      let recipe = try FileSystem.read(try MergedFolder(model).recipe)
      try write(lock.statement(recipe: String(decoding: recipe, as: UTF8.self)), to: provenance)
    }
    var report = VerifyReport(model: model, lock: lock, findings: result.findings)
    if rebuild { report.rebuilt = try await rebuilt(folder, lock, console) }
    return report
  }

  private var threadCount: Int { max(1, threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Makes tensors of the model again.
  private func rebuilt(_ folder: FilePath, _ lock: MergeLock, _ console: Console) async throws
    -> VerifyReport.Rebuilt
  {
    let recipe = try Recipe(contentsOf: MergedFolder(model).recipe)
    guard recipe.stages.isEmpty else {
      throw UserError(
        status: .usage, what: "a recipe of several stages cannot be rebuilt tensor by tensor",
        advice: "merge it again with --lock \(folder.appending(MergeLock.fileName))")
    }
    var build = try MergeSetup(CardOptions(), hub, console).build(recipe, as: lock)
    build.lock = lock
    let plan = try await build.plan()
    try await build.fetchWeights(plan)
    let work = Rebuild(plan, share: sample.share, seed: sampleSeed)
    let workspace = FileSystem.temporarySibling(of: folder)
    console.progress.begin("rebuild", total: work.byteCount)
    let threads = threadCount
    let different = try await BlockingWork.run { cancellation in
      try work.differences(
        from: folder, workspace: workspace, threads: threads,
        isCancelled: { cancellation.isCancelled },
        onEvent: { if case .advanced(let bytes) = $0 { console.progress.advance(bytes) } })
    }
    return .init(
      tensors: work.steps.count, of: plan.steps.count, different: different.map(\.text))
  }

  /// The model on the hub.
  private func published(_ console: Console) async throws -> VerifyReport {
    guard provenance == nil, lock == nil else {
      throw UserError(
        status: .usage, what: "--lock and --provenance are for folders",
        advice: "hubmerge fetch \(model) --local-dir FOLDER, and verify that")
    }
    let reference = try ModelReference(argument: model)
    let client = try hub.client(console, observe: console.showTransfer)
    let found = try await PublishedLock(
      of: client.model(reference.path), reference.revision.flatMap(Revision.init) ?? .main)
    return VerifyReport(
      model: "\(reference.path)@\(found.commit.hex.prefix(12))", lock: found.lock,
      findings: found.findings)
  }

  private func write(_ statement: JSON, to file: String) throws {
    try FileSystem.write(statement.serialized(.pretty(indent: 2)) + "\n", to: FilePath(file))
  }
}

extension MergeLock {
  /// - Throws: `UserError` if there is no such file.
  init(file: String) throws {
    guard FileSystem.kind(FilePath(file)) == .file else {
      throw UserError(status: .missingInput, what: "there is no lock \(file)")
    }
    try self.init(parsing: try FileSystem.read(FilePath(file)))
  }

  /// The lock in a model's folder.
  init(of folder: FilePath) throws {
    let place = folder.appending(Self.fileName)
    guard FileSystem.exists(place) else { throw NotLocked(place: folder.string) }
    try self.init(parsing: try FileSystem.read(place))
  }
}

struct VerifyReport: Report, Sendable {
  /// What came of making tensors again.
  struct Rebuilt: Sendable {
    let tensors: Int
    /// How many tensors there are.
    let of: Int
    let different: [String]
  }

  let model: String
  let lock: MergeLock
  let findings: [LockVerification.Finding]
  var rebuilt: Rebuilt?

  private var isSound: Bool { findings.isEmpty && rebuilt?.different.isEmpty ?? true }

  var text: String {
    guard let rebuilt else { return lockText }
    let made =
      "rebuilt \(rebuilt.tensors) of \(Quantity.plural(rebuilt.of, "tensor")) made again, "
      + (rebuilt.different.isEmpty
        ? "all of them the same" : "\(rebuilt.different.count) different")
    return ([lockText] + rebuilt.different.map { "tensor  \($0) comes out otherwise" } + [made])
      .joined(separator: "\n")
  }

  private var lockText: String {
    let size = Quantity.bytes(lock.files.reduce(0) { $0 + $1.size })
    let count = Quantity.plural(lock.files.count, "file")
    let tensors = Quantity.plural(lock.tensors.count, "tensor")
    guard !findings.isEmpty else {
      return "sound   \(model): \(count), \(tensors), \(size), as hubmerge \(lock.toolVersion) has "
        + "locked them"
    }
    return
      (findings.map { Self.text($0) }
      + ["broken  \(model): \(Quantity.plural(findings.count, "difference")) from its lock"])
      .joined(separator: "\n")
  }

  private static func text(_ finding: LockVerification.Finding) -> String {
    switch finding {
    case .missing(let file): "missing \(file)"
    case .size(let file, let locked, let found):
      "size    \(file): \(found) bytes instead of \(locked)"
    case .content(let file): "file    \(file) is not what it was"
    case .missingTensor(let name): "missing \(name)"
    case .tensor(let name, let file): "tensor  \(name) in \(file) is not what it was"
    case .extraFile(let name): "extra   \(name) was not there"
    }
  }

  var json: JSON {
    .object([
      .init("model", .string(model)),
      .init("sound", .bool(isSound)),
      .init("files", .int(lock.files.count)),
      .init("tensors", .int(lock.tensors.count)),
      .init("findings", .array(findings.map(Self.json))),
      .init(
        "rebuilt",
        rebuilt.map { rebuilt in
          .object([
            "made": .int(rebuilt.tensors), "tensors": .int(rebuilt.of),
            "different": .array(rebuilt.different.map { .string($0) }),
          ])
        } ?? .null),
    ])
  }

  private static func json(_ finding: LockVerification.Finding) -> JSON {
    func object(_ kind: String, file: String? = nil, tensor: String? = nil) -> JSON {
      .object([
        "finding": .string(kind), "tensor": tensor.map { .string($0) },
        "file": file.map { .string($0) },
      ])
    }
    return switch finding {
    case .missing(let file): object("missing_file", file: file)
    case .size(let file, _, _): object("size", file: file)
    case .content(let file): object("content", file: file)
    case .missingTensor(let name): object("missing_tensor", tensor: name.text)
    case .tensor(let name, let file): object("tensor", file: file, tensor: name.text)
    case .extraFile(let name): object("extra_file", file: name)
    }
  }

  var essence: String { isSound ? "sound" : "broken" }
  var status: ExitStatus? { isSound ? nil : .badInput }
}
