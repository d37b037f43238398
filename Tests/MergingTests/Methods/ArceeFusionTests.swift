// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Merging
import Testing

@Suite("Arcee Fusion")
struct ArceeFusionTests {
  private func softmax(_ x: ArraySlice<Double>) -> [Double] {
    let most = x.max() ?? 0
    let powers = x.map { exp($0 - most) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum + 1e-8 }
  }

  private func merged(_ inputs: MethodTrial.Inputs) -> [Double] {
    var ratings: [Double] = []
    for start in stride(from: 0, to: inputs.count, by: inputs.rowLength) {
      let row = start..<start + inputs.rowLength
      let (p, q) = (softmax(inputs.models[0][row]), softmax(inputs.base[row]))
      let divergence = max(0, zip(p, q).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) })
      ratings += inputs.deltas[0][row].map { Double(Float(abs($0)) * Float(divergence)) }
    }
    let sorted = ratings.sorted()
    func quantile(_ share: Double) -> Double { sorted[Int(share * Double(sorted.count - 1))] }
    let least = Double(Float(quantile(0.5) + 1.5 * (quantile(0.75) - quantile(0.25))))
    return ratings.indices.map { index in
      inputs.base[index] + (ratings[index] >= least ? inputs.deltas[0][index] : 0)
    }
  }

  @Test("What is rated above the threshold is taken over")
  func rule() throws {
    let trial = MethodTrial(method: "arcee_fusion", hasBase: true, models: [""])
    try trial.expectSame { merged($0) }
  }

  @Test("Rows that lie in different chunks are rated by their own divergence")
  func chunks() throws {
    let trial = MethodTrial(method: "arcee_fusion", hasBase: true, models: [""])
    try trial.expectSame([AwkwardTensors.random("x", [301, 901], models: 2)]) { merged($0) }
  }
}
