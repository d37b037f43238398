// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import Weights

/// The comparison of a merged model with what mergekit wrote.
struct GoldenComparison {
  let golden: GoldenCase
  let actual: FilePath
  let tolerance: GoldenTolerance
  /// The merged model's tensors.
  let tensors: [TensorName: GoldenTensor]
  private(set) var problems: [String] = []
  private(set) var difference = GoldenDifference()

  init(_ golden: GoldenCase, _ actual: FilePath, _ tolerance: GoldenTolerance? = nil) throws {
    self.golden = golden
    self.actual = actual
    self.tolerance = tolerance ?? GoldenTolerance(golden.compare["tolerance"])
    tensors = try GoldenTensor.tensors(at: actual)
    if golden.compare["statistics"]?.bool == true {
      let statistics = try Self.json(golden.expected.appending("statistics.json"))
      problems += try GoldenStatistics(statistics).problems(with: tensors, root: GoldenCase.root)
    } else {
      try compareTensors()
    }
    try compareShards()
    try compareFiles()
  }

  /// How far the result is from mergekit's, for `make goldens`.
  var line: String {
    let name = golden.name + String(repeating: " ", count: max(0, 40 - golden.name.count))
    if golden.compare["statistics"]?.bool == true {
      return "golden \(name) within mergekit's spread over 32 seeds"
    }
    let count = tensors.values.reduce(0) { $0 + $1.count }
    return
      "golden \(name) \(difference.worstUlp) ulp at most, \(difference.differing) of \(count) elements differ, "
      + "by \(difference.worstError) at most"
  }

  static func json(_ path: FilePath) throws -> JSON { try JSON.parse(FileSystem.read(path)) }

  // MARK: Tensors

  private mutating func compareTensors() throws {
    let expected = try GoldenTensor.tensors(at: golden.expected)
    let free = try golden.freeElements()
    let vocabulary = try VocabularyAlignment(golden, actual)
    if let vocabulary { problems += vocabulary.problems }
    for name in Set(expected.keys).union(tensors.keys).sorted() {
      guard let wanted = expected[name] else {
        problems.append("unexpected tensor \(name)")
        continue
      }
      guard var tensor = tensors[name] else {
        problems.append("missing tensor \(name)")
        continue
      }
      guard tensor.info == wanted.info else {
        problems.append(
          "\(name) is \(tensor.info.dtype) \(tensor.shape), not \(wanted.info.dtype) \(wanted.shape)"
        )
        continue
      }
      if let vocabulary, name.isVocabularyIndexed { tensor = vocabulary.arranged(tensor) }
      let found = tolerance.difference(tensor, wanted, free: free[name.text] ?? [])
      difference.add(found)
      if found.failing > 0 {
        problems.append(
          "~\(name): \(found.failing) of \(wanted.count) elements, worst \(found.worstError), "
            + "\(found.worstUlp) ulp")
      }
    }
    if difference.failing <= golden.compare["max_mismatch"]?.int ?? 0 {
      problems.removeAll { $0.hasPrefix("~") }
    }
  }

  private mutating func compareShards() throws {
    let files = try FileSystem.names(in: actual).filter { $0.hasSuffix(".safetensors") }
    let indexPath = "model.safetensors.index.json"
    let expectedIndex = golden.expected.appending(indexPath)
    if FileSystem.exists(expectedIndex) != FileSystem.exists(actual.appending(indexPath)) {
      problems.append("only one of the two has an index")
    }
    guard FileSystem.exists(actual.appending(indexPath)) else {
      if files != ["model.safetensors"] { problems.append("weights are in \(files)") }
      return
    }
    let index = try Self.json(actual.appending(indexPath))
    let places = index["weight_map"]?.members ?? []
    if Set(places.compactMap(\.value.string)) != Set(files) {
      problems.append("the index does not name the shards \(files)")
    }
    if places.count != tensors.count { problems.append("the index has \(places.count) entries") }
    let size = tensors.values.reduce(0) { $0 + $1.bytes.count }
    if index["metadata"]?["total_size"]?.int != size {
      problems.append("total_size is not \(size)")
    }
  }

  // MARK: Files

  private mutating func compareFiles() throws {
    if try FileSystem.read(actual.appending("mergekit_config.yml"))
      != FileSystem.read(golden.folder.appending("config.yml"))
    {
      problems.append("mergekit_config.yml is not the recipe")
    }
    for member in golden.compare["copied"]?.members ?? [] {
      let source = GoldenCase.root.appending(member.value.string ?? "").appending(member.key)
      let copy = actual.appending(member.key)
      guard FileSystem.exists(copy) else {
        problems.append("\(member.key) is missing")
        continue
      }
      if try FileSystem.read(copy) != FileSystem.read(source) {
        problems.append("\(member.key) is not a copy of \(source)")
      }
    }
    let names = try FileSystem.names(in: golden.expected)
    for name in names where !name.contains(".safetensors") && name != "statistics.json" {
      guard FileSystem.exists(actual.appending(name)) else {
        problems.append("\(name) is missing")
        continue
      }
      try compareFile(name)
    }
  }

  private mutating func compareFile(_ name: String) throws {
    let (a, e) = (actual.appending(name), golden.expected.appending(name))
    switch name {
    case "config.json":
      let config = GoldenConfig(try Self.json(a))
      problems += config.differences(from: GoldenConfig(try Self.json(e)))
    case "chat_template.jinja":
      if try Self.text(a) != Self.text(e) { problems.append("\(name) differs") }
    case "tokenizer.json" where golden.compare["align_vocab"]?.bool != true:
      if try VocabularyAlignment.tokens(a) != VocabularyAlignment.tokens(e) {
        problems.append("\(name) has another vocabulary")
      }
    default: break  // Transformers writes these anew in its own way.
    }
  }

  /// A file's text without blank space at its ends.
  private static func text(_ path: FilePath) throws -> [UInt8] {
    let blanks = Set(" \n\r\t".utf8)
    let bytes = try FileSystem.read(path).drop { blanks.contains($0) }
    return Array(bytes.reversed().drop { blanks.contains($0) }.reversed())
  }
}

/// The numbering of a joint vocabulary's tokens, which mergekit leaves to chance.
struct VocabularyAlignment {
  private let expected: [String: Int]
  private let actual: [String: Int]

  init?(_ golden: GoldenCase, _ folder: FilePath) throws {
    guard golden.compare["align_vocab"]?.bool == true else { return nil }
    expected = try Self.tokens(golden.expected.appending("tokenizer.json"))
    actual = try Self.tokens(folder.appending("tokenizer.json"))
  }

  /// The tokens of a tokenizer.json and their numbers.
  static func tokens(_ path: FilePath) throws -> [String: Int] {
    let json = try GoldenComparison.json(path)
    var tokens: [String: Int] = [:]
    for member in json["model"]?["vocab"]?.members ?? [] { tokens[member.key] = member.value.int }
    for token in json["added_tokens"]?.array ?? [] {
      if let text = token["content"]?.string { tokens[text] = token["id"]?.int }
    }
    return tokens
  }

  var problems: [String] {
    if Set(expected.keys) != Set(actual.keys) { return ["the vocabularies differ"] }
    if Set(expected.values) != Set(actual.values) { return ["the tokens' numbers differ as a set"] }
    return []
  }

  /// The tensor with its rows in the order of the expected numbering.
  func arranged(_ tensor: GoldenTensor) -> GoldenTensor {
    let count = tensor.shape.first ?? 0
    guard problems.isEmpty, count >= expected.count else { return tensor }
    var rows = Array(0..<count)
    for (token, row) in expected {
      if let other = actual[token], row < count, other < count { rows[row] = other }
    }
    return tensor.arranged(rows)
  }
}
