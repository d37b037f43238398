// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Testing
import Weights

@Suite("TIES")
struct TiesTests {
  @Test(
    "The largest elements that agree are averaged",
    arguments: [(0.5, 0.3), (1, 0.001), (0.0, 0.9)], ["sum", "count"])
  func rule(densities: (Double, Double), consensus: String) throws {
    let trial = MethodTrial(
      method: "ties", hasBase: true, shared: "lambda: 0.9, consensus: \(consensus)",
      models: [
        "weight: 0.5, density: \(densities.0)", "weight: 0.75, density: \(densities.1)",
        "weight: 0.375, density: 0.6",
      ])
    let density = [densities.0, densities.1, 0.6]
    try trial.expectSame {
      TaskVectorReference(
        weights: [0.5, 0.75, 0.375],
        sparsify: { TaskVectorReference.largest(density[$0], $1) }, elects: true,
        counts: consensus == "count", normalize: true, lambda: 0.9
      ).merged($0)
    }
  }

  @Test("The same elements are kept in fp64", arguments: [true, false])
  func double(rescale: Bool) throws {
    let trial = MethodTrial(
      method: "ties", hasBase: true, shared: "normalize: false, rescale: \(rescale)",
      models: ["weight: 0.5, density: 0.4", "weight: 0.5, density: 0.7"], dtype: .f64)
    try trial.expectSame(tolerance: 1e-12) {
      TaskVectorReference(
        weights: [0.5, 0.5], sparsify: { TaskVectorReference.largest([0.4, 0.7][$0], $1) },
        elects: true, rescale: rescale
      ).merged($0)
    }
  }

  @Test("Among equals the first are kept, over the borders of blocks and chunks")
  func equals() throws {
    let count = 300_000
    let tensor = MethodTrial.Tensor(
      name: "x", shape: [count],
      models: [[Double](repeating: 0, count: count), [Double](repeating: 0.25, count: count)])
    for kept in [1, 8192, 8193, 262_144, 262_145, 299_999] {
      let trial = MethodTrial(
        method: "ties", hasBase: true,
        models: ["weight: 1, density: \((Double(kept) + 0.5) / Double(count))"])
      let result = try trial.run([tensor], threads: 2)["x"] ?? []
      #expect(result[..<kept].allSatisfy { $0 == 0.25 } && result[kept...].allSatisfy { $0 == 0 })
    }
  }

  @Test("A NaN counts as large and stays where it is")
  func notANumber() throws {
    var tensor = AwkwardTensors.random("x", [70_000], models: 2)
    tensor.models[1][123] = .nan
    let result =
      try MethodTrial(
        method: "ties", hasBase: true, models: ["weight: 1, density: 0.2"]
      ).run([tensor])["x"] ?? []
    #expect(result.indices.filter { result[$0].isNaN } == [123])
    #expect(zip(result, tensor.models[0]).filter { $0.0 != $0.1 }.count == 14_000)
  }

  @Test("Histograms find the same bounds as sorting does", arguments: [DType.f32, .f64])
  func histograms(dtype: DType) throws {
    let trial = MethodTrial(
      method: "ties", hasBase: true, shared: "normalize: false",
      models: ["weight: 0.5, density: 0.45", "weight: 0.75, density: 0.01"], dtype: dtype)
    try trial.expectSame([AwkwardTensors.large(models: 3)]) {
      TaskVectorReference(
        weights: [0.5, 0.75], sparsify: { TaskVectorReference.largest([0.45, 0.01][$0], $1) },
        elects: true
      ).merged($0)
    }
  }

  @Test("A sample that is not like the whole costs time, not exactness")
  func misleadingSample() throws {
    let count = 300_000
    let sample = BlockSample(of: count)
    var numbers = (0..<count).map { 2 + Double($0 * 7919 % 65_536) / 65_536 }
    for run in 0..<sample.runCount(of: count) {
      for index in sample.run(run) { numbers[index] = 0.5 }
    }
    let trial = MethodTrial(method: "ties", hasBase: true, models: ["weight: 1, density: 0.3"])
    let tensor = MethodTrial.Tensor(
      name: "x", shape: [count], models: [[Double](repeating: 0, count: count), numbers])
    try trial.expectSame([tensor]) {
      TaskVectorReference(
        weights: [1], sparsify: { TaskVectorReference.largest(0.3, $1) }, elects: true
      ).merged($0)
    }
  }
}
