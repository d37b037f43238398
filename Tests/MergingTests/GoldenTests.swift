// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Merges that mergekit has done too")
struct GoldenTests {
  /// Cases that cannot pass yet, and why. A case that begins to pass has to leave the list.
  static let notYet: [String: String] = [:]

  static let ready = GoldenCase.all.filter { notYet[$0.name] == nil }
  static let waiting = GoldenCase.all.filter { notYet[$0.name] != nil }

  @Test("The reference set is there, and the list of exceptions names nothing else")
  func setIsWhole() {
    #expect(GoldenCase.all.count == 54)
    #expect(Set(Self.notYet.keys).isSubset(of: GoldenCase.all.map(\.name)))
  }

  @Test(
    "The result is mergekit's, and where ours can be held to more than that it is",
    arguments: ready)
  func agrees(golden: GoldenCase) async throws {
    guard golden.kind != "error" else {
      await #expect(throws: RecipeError.self) { try await golden.plan() }
      return
    }
    try await withTemporaryFolder { folder in
      let target = folder.appending("out")
      let plan = try await golden.merge(to: target)
      let comparison = try GoldenComparison(golden, target)
      #expect(comparison.problems == [])
      print(comparison.line)
      try Self.checkRounding(golden, plan, comparison)
    }
  }

  /// One rounding, at the end, is all that a weighted sum may lose.
  private static func checkRounding(
    _ golden: GoldenCase, _ plan: MergePlan, _ comparison: GoldenComparison
  ) throws {
    if FileSystem.exists(golden.oracle) {
      #expect(try GoldenOracle.problems(golden, plan, comparison.tensors) == [])
    }
    let method = plan.recipe.method
    guard golden.kind == "tensors",
      plan.models.allSatisfy({ $0.source.reference.adapters.isEmpty }),
      ["linear", "slerp", "task_arithmetic"].contains(method),
      plan.steps.allSatisfy({ $0.computing == .f32 || !$0.roundsInputs }),
      // The oracle reads tensors as they are stored, not rows put in another order.
      plan.steps.allSatisfy({ $0.inputs.allSatisfy { $0.view == nil } })
    else { return }
    // Two roundings of single precision on the way.
    #expect(try GoldenOracle.problems(plan, comparison.tensors, noise: 0x1p-23) == [])

    guard method != "task_arithmetic", plan.steps.allSatisfy({ $0.output.dtype.byteWidth == 2 })
    else { return }
    let difference = comparison.difference
    #expect(difference.worstUlp <= 1)
    #expect(difference.differing <= golden.missedElements + plan.parameterCount / 1000)
  }

  @Test(
    "The comparison notices damage",
    arguments: ["weights", "config.json", "tokenizer.json", "mergekit_config.yml", "missing"])
  func noticesDamage(kind: String) async throws {
    let golden = try #require(GoldenCase.all.first { $0.name == "slerp-scalar" })
    try await withTemporaryFolder { folder in
      let target = folder.appending("out")
      _ = try await golden.merge(to: target)
      switch kind {
      case "weights":
        let file = try File(target.appending("model.safetensors"), .update)
        // The last element: its high bits are at the end of the file.
        try file.write([0x41], at: file.size - 1)
      case "config.json":
        let path = target.appending(kind)
        let config = try ModelConfig(contentsOf: path).document
        try FileSystem.write(config.setting(["rms_norm_eps"], to: 0.5).bytes, to: path)
      case "missing": try FileSystem.remove(target.appending("generation_config.json"))
      default:
        try FileSystem.write(
          FileSystem.read(target.appending(kind)) + Array(" ".utf8), to: target.appending(kind))
      }
      let problems = try GoldenComparison(golden, target).problems
      #expect(problems.count == 1)
    }
  }

  @Test("What is listed as not passing yet does not pass", arguments: waiting)
  func isStillWaiting(golden: GoldenCase) async throws {
    let passes = try await withTemporaryFolder { folder in
      let target = folder.appending("out")
      do {
        _ = try await golden.merge(to: target)
        return try GoldenComparison(golden, target).problems.isEmpty
      } catch {
        return false
      }
    }
    #expect(!passes, "\(golden.name) passes: take it off the list")
  }
}

extension MergePlan.Step {
  /// Whether inputs lose digits before they are computed with.
  fileprivate var roundsInputs: Bool {
    inputs.contains { $0.tensor.info.dtype.holdsMore(than: computing) }
  }
}
