// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("Recipes that use one another")
struct StageTests {
  static let chain = """
    name: half
    merge_method: linear
    models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]
    ---
    merge_method: linear
    models: [{model: half, parameters: {weight: 3}}, {model: a, parameters: {weight: 1}}]
    """

  @Test("A stage is planned before it exists, merged first, and leaves nothing behind")
  func mergesStages() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(0))
      try bench.add("b", TinyModel(8))
      let plan = try await bench.plan(Self.chain)
      #expect(plan.stages.map(\.name) == ["half"])
      #expect(plan.models.map(\.name) == ["half", "a"])
      let result = try await bench.merge(Self.chain)
      #expect(result["model.norm.weight"]?.values == [3, 3.0625])
      #expect(try FileSystem.names(in: folder).filter { $0.hasPrefix(".") } == [])
    }
  }

  @Test("An interrupted merge does not merge its finished stages again")
  func resumesStages() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(0))
      try bench.add("b", TinyModel(8))
      let plan = try await bench.plan(Self.chain)
      let target = folder.appending("out")
      func run(stoppingAfter limit: Int) throws -> Int {
        let shards = Mutex(0)
        let count: @Sendable () -> Int = { shards.withLock { $0 } }
        defer { #expect(count() <= limit + 1) }
        try MergedModel(plan, target: target).write(
          threads: 1, toolVersion: "test", isCancelled: { count() >= limit },
          onEvent: { event in
            if case .finishedShard = event { shards.withLock { $0 += 1 } }
          })
        return count()
      }
      #expect(throws: MergeError.self) { try run(stoppingAfter: 1) }
      #expect(FileSystem.kind(target) == nil)
      let kept = folder.appending(".out.hubmerge-stages").appending("half")
      #expect(FileSystem.kind(kept) == .folder)
      // Only the last merge is left to do.
      #expect(try run(stoppingAfter: 9) == 1)
      #expect(try GoldenTensor.tensors(at: target)["model.norm.weight"]?.values == [3, 3.0625])
      #expect(try FileSystem.names(in: folder).filter { $0.hasPrefix(".") } == [])
    }
  }

  @Test("What is wrong in several recipes of a file is told at once")
  func tellsAllStages() async throws {
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try bench.add("a", TinyModel(0))
      try bench.add("b", TinyModel(layers: 3, 8))
      let wrong = """
        name: one
        merge_method: linear
        models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]
        ---
        name: two
        merge_method: linear
        models: [{model: b, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]
        ---
        merge_method: linear
        models: [{model: one, parameters: {wieght: 1}}, {model: two, parameters: {weight: 1}}]
        """
      let lines = try await bench.errors(wrong).map(\.line)
      #expect(
        lines == [
          "3:55 error: b has 3 layers, not 2 as the others",
          "7:55 error: a has 2 layers, not 3 as the others",
          "10:36 error: unknown parameter \"wieght\"",
        ])
    }
  }

  @Test("Stages are merged in the order in which they need one another")
  func ordersStages() throws {
    let recipe = try Recipe(
      """
      name: last
      merge_method: linear
      models: [{model: second}]
      ---
      name: second
      merge_method: linear
      models: [{model: first}]
      ---
      name: first
      merge_method: linear
      models: [{model: a}]
      """)
    #expect(recipe.stages.map(\.name) == ["first", "second"])
    #expect(recipe.models.map(\.path) == ["second"])
  }

  @Test(
    "Names that lead nowhere are told",
    arguments: [
      (
        "name: x\nmerge_method: linear\nmodels: [{model: x}]\n---\nmerge_method: linear\n"
          + "models: [{model: x}]", "needs its own result"
      ),
      (
        "name: x\nmerge_method: linear\nmodels: [{model: y}]\n---\nname: y\nmerge_method: linear\n"
          + "models: [{model: x}]", "in a circle"
      ),
      (
        "name: x\nmerge_method: linear\nmodels: [{model: a}]\n---\nname: y\nmerge_method: linear\n"
          + "models: [{model: a}]", "not clear which"
      ),
      (
        "name: x\nmerge_method: linear\nmodels: [{model: a}]\n---\nname: x\nmerge_method: linear\n"
          + "models: [{model: a}]", "two recipes named"
      ),
      (
        "name: a/b\nmerge_method: linear\nmodels: [{model: a}]\n---\nmerge_method: linear\n"
          + "models: [{model: a/b}]", "cannot be the name"
      ),
      (
        "name: x\nmerge_method: linear\nmodels: [{model: a}]\n---\nmerge_method: linear\n"
          + "models: [{model: x@main}]", "no revision"
      ),
    ])
  func refuses(text: String, message: String) throws {
    let error = #expect(throws: RecipeError.self) { try Recipe(text) }
    #expect(error?.diagnostics.contains { $0.message.contains(message) } == true)
  }
}
