// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import Testing
import Weights

/// A merge whose result mergekit has written down: one folder of `Tests/Goldens/cases`.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  let name: String
  let json: JSON

  /// `Tests/Goldens`; recipes name their models relative to it.
  static let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("Goldens")

  /// All cases, by name.
  static let all: [GoldenCase] = {
    let folder = root.appending("cases")
    return ((try? FileSystem.names(in: folder)) ?? []).compactMap { name in
      guard let bytes = try? FileSystem.read(folder.appending(name).appending("case.json")),
        let json = try? JSON.parse(bytes)
      else { return nil }
      return GoldenCase(name: name, json: json)
    }
  }()

  var testDescription: String { name }
  var folder: FilePath { Self.root.appending("cases").appending(name) }
  var expected: FilePath { folder.appending("expected") }
  /// Where the result in double precision is, for the few cases that have it.
  var oracle: FilePath { folder.appending("oracle").appending("model.safetensors") }
  var kind: String { json["kind"]?.string ?? "" }
  /// How many elements of mergekit's result are not the one of double precision, rounded.
  var missedElements: Int { json["mergekit_vs_float64"]?["differing_elements"]?.int ?? 0 }
  var compare: JSON { json["compare"] ?? [:] }

  var method: String {
    ((try? YAML.parseOne(FileSystem.read(folder.appending("config.yml"))))?["merge_method"]?.string)
      ?? ""
  }

  /// Whether the result is stored in 16 bits.
  var isShort: Bool {
    (try? Checkpoint(folder: expected))?.tensors.values.allSatisfy {
      $0.info.dtype.byteWidth == 2
    } ?? false
  }

  /// The words that mergekit was given behind the recipe.
  private var arguments: [String] {
    let words = json["command"]?.array?.compactMap(\.string) ?? []
    return words.firstIndex(of: "{out}").map { Array(words[($0 + 1)...]) } ?? []
  }

  /// The value of a flag.
  private func argument(_ flag: String) -> String? {
    arguments.firstIndex(of: flag).flatMap { arguments.dropFirst($0 + 1).first }
  }

  private var options: PlanOptions {
    var options = PlanOptions()
    options.seed = argument("--random-seed").flatMap { UInt64($0) }
    if let size = argument("--out-shard-size"), size.hasSuffix("K"),
      let count = Int(size.dropLast())
    {
      options.maximumShardSize = count * 1000
    }
    return options
  }

  func plan() async throws -> MergePlan {
    try await Planner.plan(
      Recipe(contentsOf: folder.appending("config.yml")), from: FolderSource(root: Self.root),
      options: options)
  }

  /// Plans and runs the merge.
  func merge(to target: FilePath) async throws -> MergePlan {
    let plan = try await plan()
    try MergedModel(plan, target: target).write(threads: 2, toolVersion: "test")
    return plan
  }

  /// The elements of each tensor that are not compared: what they are depends on the order of equal magnitudes.
  func freeElements() throws -> [String: Set<Int>] {
    let path = folder.appending("free.json")
    guard FileSystem.exists(path) else { return [:] }
    let members = try GoldenComparison.json(path).members ?? []
    return Dictionary(
      uniqueKeysWithValues: members.map {
        ($0.key, Set($0.value.array?.compactMap(\.int) ?? []))
      })
  }
}
