// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("The example recipes")
struct ExampleTests {
  private static let folder = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().removingLastComponent().appending("Examples")
  static let names = (try? FileSystem.names(in: folder)) ?? []

  @Test("Each is planned without a warning and merges small models into numbers", arguments: names)
  func merges(name: String) async throws {
    let text = String(decoding: try FileSystem.read(Self.folder.appending(name)), as: UTF8.self)
    try await withTemporaryFolder { folder in
      let bench = TinyBench(folder: folder)
      try FileSystem.createFolder(folder.appending("demo"))
      for (number, model) in ["base", "math", "code"].enumerated() {
        // Differences that do not all have the same size and sign.
        var weights = TinyModel(layers: 3, 1, .bf16)
        for tensor in weights.tensors.indices {
          for element in weights.tensors[tensor].values.indices {
            let change = (element * (number + 2) + tensor) % 5 - 2
            weights.tensors[tensor].values[element] += Double(number * change) / 16
          }
        }
        try bench.add("demo/\(model)", weights)
      }
      let plan = try await bench.plan(text)
      #expect(plan.warnings.map(\.message) == [])
      let result = try await bench.merge(text)
      #expect(result.count == plan.steps.count)
      for tensor in result.values {
        #expect(tensor.info.dtype == .bf16)
        for element in 0..<tensor.count { #expect(tensor.value(element).isFinite) }
      }
    }
  }

  @Test("There are some, and each method has its own") func complete() {
    for method in MergeMethods.all { #expect(Self.names.contains("\(method.spec.id).yml")) }
  }
}
