// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("Locks")
struct MergeLockTests {
  private static var lock: MergeLock {
    var options = PlanOptions()
    options.maximumShardSize = 12
    options.adapterDType = .bf16
    let sha = Digest.sha256([1])
    let fast = [UInt8(2)].withUnsafeBytes { FastDigest(of: $0) }
    return MergeLock(
      toolVersion: "1.0.0", recipe: .sha256(Array("recipe".utf8)), options: options,
      seed: UInt64.max,
      sources: [
        .init(
          model: "org/a@main", hubID: "org/a", commit: Digest.gitBlob([1]).hex,
          files: [.init(name: "model.safetensors", size: 9, digest: .sha256(sha))]),
        .init(
          model: "./b", hubID: nil, commit: nil,
          files: [
            .init(name: "config.json", size: 1, digest: .gitBlob(.gitBlob([2]))),
            .init(name: "x.bin", size: 1, digest: .fast(fast)),
          ]),
      ],
      files: [.init(name: "model.safetensors", size: 3, digest: .sha256(sha))],
      tensors: [.init(name: "a.weight", digest: fast)])
  }

  @Test("are the same when they are read again, and the same lock is the same bytes")
  func roundTrip() throws {
    let read = try MergeLock(parsing: Self.lock.bytes)
    #expect(read == Self.lock)
    #expect(read.bytes == Self.lock.bytes)
    #expect(read.commits == ["org/a@main": Digest.gitBlob([1]).hex])
  }

  @Test(
    "of which a part is missing are no locks",
    arguments: [
      "hubmerge_lock", "tool", "recipe", "seed", "options", "sources", "files", "tensors",
    ])
  func incomplete(key: String) throws {
    let json = try JSON.parse(Self.lock.bytes)
    let text = json.removing(key).serialized(.compact)
    #expect(throws: LockFault.self) { try MergeLock(parsing: Array(text.utf8)) }
  }

  @Test("say that they are of a later version")
  func version() throws {
    let text = "{\"hubmerge_lock\": 2}"
    let fault = #expect(throws: LockFault.self) { try MergeLock(parsing: Array(text.utf8)) }
    #expect("\(fault.map { "\($0)" } ?? "")".contains("version 2"))
  }

  @Test("become statements of in-toto")
  func statement() throws {
    let statement = Self.lock.statement(recipe: "recipe")
    #expect(statement["_type"]?.string == "https://in-toto.io/Statement/v1")
    #expect(statement["predicateType"]?.string == "https://slsa.dev/provenance/v1")
    let subject = try #require(statement["subject"]?.array?.first)
    #expect(subject["name"]?.string == "model.safetensors")
    #expect(subject["digest"]?["sha256"]?.string == Digest.sha256([1]).hex)
    let build = statement["predicate"]?["buildDefinition"]
    #expect(build?["externalParameters"]?["recipe"]?.string == "recipe")
    let sources = build?["resolvedDependencies"]?.array ?? []
    #expect(sources.count == 4)
    #expect(sources[0]["uri"]?.string == "pkg:huggingface/org/a@" + Digest.gitBlob([1]).hex)
    #expect(sources[0]["digest"]?["gitCommit"]?.string == Digest.gitBlob([1]).hex)
    #expect(sources[3]["uri"] == nil)
  }
}

@Suite("Sources that were locked")
struct LockedSourcesTests {
  private static let recipe = """
    merge_method: linear
    models:
      - {model: a, parameters: {weight: 0.5}}
      - {model: b, parameters: {weight: 0.5}}
    dtype: float32

    """

  private static func plan(_ folder: FilePath, _ recipe: String = recipe) async throws -> MergePlan
  {
    try await Planner.plan(
      Recipe(parsing: Array(recipe.utf8), file: "recipe.yml"), from: FolderSource(root: folder))
  }

  private static func lock(_ plan: MergePlan) throws -> MergeLock {
    try MergeLock(
      toolVersion: "1", recipe: .sha256(Array(plan.recipe.text.utf8)), options: PlanOptions(),
      seed: plan.seed, sources: plan.lockedSources(), files: [], tensors: [])
  }

  private static func with(_ body: (FilePath) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      try TinyModel(1).write(to: folder.appending("a"))
      try TinyModel(2).write(to: folder.appending("b"))
      try await body(folder)
    }
  }

  @Test("are the files that were read, and pass as long as they are what they were")
  func unchanged() async throws {
    try await Self.with { folder in
      let plan = try await Self.plan(folder)
      let lock = try Self.lock(plan)
      #expect(lock.sources.map(\.model) == ["a", "b"])
      #expect(lock.sources[1].files.map(\.name).contains("model.safetensors"))
      try lock.check(plan)
      try lock.check(try await Self.plan(folder))
    }
  }

  @Test("are told apart by a byte of their weights")
  func changed() async throws {
    try await Self.with { folder in
      let lock = try Self.lock(try await Self.plan(folder))
      let path = folder.appending("b").appending("model.safetensors")
      var bytes = try FileSystem.read(path)
      bytes[bytes.count - 1] ^= 1
      try FileSystem.write(bytes, to: path)
      let plan = try await Self.plan(folder)
      #expect(throws: LockFault.otherFile(model: "b", name: "model.safetensors")) {
        try lock.check(plan)
      }
    }
  }

  @Test("belong to one recipe")
  func recipe() async throws {
    try await Self.with { folder in
      let lock = try Self.lock(try await Self.plan(folder))
      let other = try await Self.plan(folder, Self.recipe + "# the same\n")
      #expect(throws: LockFault.otherRecipe) { try lock.check(other) }
    }
  }
}
