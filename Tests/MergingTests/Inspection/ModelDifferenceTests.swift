// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing
import Weights

@testable import Merging

@Suite("The comparison of two models")
struct ModelDifferenceTests {
  static func difference(_ a: TinyModel, _ b: TinyModel) async throws -> ModelDifference {
    try await withTemporaryFolder { folder in
      try a.write(to: folder.appending("a"))
      try b.write(to: folder.appending("b"))
      let source = FolderSource(root: folder)
      return try ModelDifference(
        try await source.model(ModelReference(path: "a")),
        try await source.model(ModelReference(path: "b")), threads: 2)
    }
  }

  static func vector(_ name: TensorName, _ values: [Double], _ dtype: DType = .f32)
    -> TinyModel.Tensor
  {
    .init(name, [values.count], dtype, values)
  }

  @Test("Cosine, relative length, signs and the largest difference")
  func compares() async throws {
    let result = try await Self.difference(
      TinyModel(Self.vector("x", [3, 4, 0, -1])), TinyModel(Self.vector("x", [3, -4, 0, -1])))
    let tensor = try #require(result.tensors.first)
    guard case .compared(let sums) = tensor.finding else {
      Issue.record("it was not compared")
      return
    }
    #expect(sums.cosine == (9 - 16 + 1) / 26.0)
    #expect(sums.relativeNorm == (64 / 26.0).squareRoot())
    #expect(sums.signAgreement == 0.75)
    #expect(sums.differing == 1)
    #expect(sums.largest == 8)
    #expect(!result.isEqual)
  }

  @Test("What one model lacks, other shapes, other dtypes and other bytes are told")
  func findsOtherKinds() async throws {
    let result = try await Self.difference(
      TinyModel(
        Self.vector("a", [1]), Self.vector("c", [1, 2]), Self.vector("d", [1]),
        Self.vector("e", [1], .i64)),
      TinyModel(
        Self.vector("b", [1]), Self.vector("c", [1]), Self.vector("d", [1], .bf16),
        Self.vector("e", [2], .i64)))
    let told = result.tensors.map { tensor in
      switch tensor.finding {
      case .onlyInFirst: "first"
      case .onlyInSecond: "second"
      case .shapes: "shapes"
      case .compared(let sums): "\(sums.differing) differ"
      case .bytes(let areEqual): "bytes \(areEqual)"
      }
    }
    #expect(told == ["first", "second", "shapes", "0 differ", "bytes false"])
    #expect(result.tensors.allSatisfy { !$0.isEqual })
  }

  @Test("Layers are summed up, and names are compared whatever their prefix")
  func summarises() async throws {
    var other = TinyModel(layers: 2, 1)
    for index in other.tensors.indices {
      let info = other.tensors[index].info
      guard info.name.text.hasPrefix("model.") else { continue }
      other.tensors[index].info = TensorInfo(
        name: TensorName(String(info.name.text.dropFirst(6))), dtype: info.dtype,
        shape: info.shape)
    }
    let result = try await Self.difference(TinyModel(layers: 2, 1), other)
    #expect(result.isEqual)
    #expect(result.layers.map(\.number) == [nil, 0, 1])
    #expect(result.total.differing == 0)
    #expect(result.total.relativeNorm == 0)
  }
}
