// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Weights

/// Tensors of shapes and values that break careless code.
enum AwkwardTensors {
  /// The same tensors for up to four models; elements are numbers that fp32 holds.
  static func all(models: Int) -> [MethodTrial.Tensor] {
    ofFour.map { .init(name: $0.name, shape: $0.shape, models: Array($0.models.prefix(models))) }
  }

  /// The awkward tensors, and what methods that work on matrices tell apart: wide and tall ones, larger than a panel,
  /// of low rank, an embedding, and experts.
  static func matrices(models: Int) -> [MethodTrial.Tensor] {
    let shapes: [(String, [Int])] = [
      ("tall", [300, 12]), ("broad", [12, 300]), ("square", [24, 24]),
      ("model.embed_tokens.weight", [20, 6]), ("mlp.experts.up_proj", [3, 8, 5]),
      ("mlp.experts.down_proj", [2, 5, 8]),
    ]
    return all(models: models) + shapes.map { random($0, $1, models: models) }
  }

  /// The elements of a matrix of rank one, exact in fp32.
  static func rankOne(rows: Int, columns: Int) -> [Double] {
    (0..<rows).flatMap { row in
      (0..<columns).map { column in Double((row + 1) * (column - 5)) / 1024 }
    }
  }

  /// A tensor whose magnitudes are counted in histograms rather than gathered.
  static func large(models: Int) -> MethodTrial.Tensor {
    random("large", [90, 750], models: models)
  }

  /// A tensor of more than one chunk, whether it is cut by elements or by rows, and small ones beside it.
  static func chunked(models: Int) -> [MethodTrial.Tensor] {
    chunkedOfFour.map {
      .init(name: $0.name, shape: $0.shape, models: Array($0.models.prefix(models)))
    }
  }

  private static let chunkedOfFour = [[301, 901], [9], [40, 50]].map { shape in
    random("x\(shape.count)\(shape[0])", shape, models: 4)
  }

  private static let ofFour = make(models: 4)

  private static func make(models: Int) -> [MethodTrial.Tensor] {
    let shapes: [(String, [Int])] = [
      ("scalar", []), ("one", [1]), ("seven", [7]), ("row", [8193]), ("cube", [3, 5, 7]),
      ("column", [33, 1]), ("flat", [1, 65]), ("wide", [2, 4100]),
    ]
    var tensors = shapes.map { name, shape in random(name, shape, models: models) }
    let ramp = (0..<40).map { Double($0 - 20) / 16 }
    tensors.append(
      .init(name: "equal", shape: [5, 8], models: Array(repeating: ramp, count: models)))
    tensors.append(
      .init(
        name: "constant", shape: [6, 6],
        models: (0..<models).map { Array(repeating: 0.5 + Double($0) / 64, count: 36) }))
    tensors.append(
      .init(
        name: "denormal", shape: [24],
        models: (0..<models).map { model in
          (0..<24).map { Double(Float(Double($0 * model) * 1e-43)) }
        }))
    tensors.append(
      .init(
        name: "zeros", shape: [4, 4],
        models: (0..<models).map { model in (0..<16).map { ($0 + model) % 2 == 0 ? 0 : -0.0 } }))
    // Steps of 1/1024: many differences are equal in magnitude.
    tensors.append(
      .init(
        name: "steps", shape: [90, 30],
        models: (0..<models).map { model in
          var numbers = Numbers(seed: UInt64(7 + model))
          return (0..<2700).map { _ in Double(Int(numbers.next() % 9) - 4) / 1024 }
        }))
    return tensors
  }

  /// A model's weights, and others that are off from it a little, in part not at all.
  static func random(_ name: String, _ shape: [Int], models: Int, seed: UInt64 = 1)
    -> MethodTrial.Tensor
  {
    let count = shape.reduce(1, *)
    var numbers = Numbers(seed: seed &+ UInt64(count))
    let base = (0..<count).map { _ in numbers.normal() * 0.05 }
    let all = (0..<models).map { model in
      model == 0
        ? base.map { Double(Float($0)) }
        : base.map { Double(Float($0 + (numbers.next() % 8 == 0 ? 0 : numbers.normal() * 0.004))) }
    }
    return .init(name: name, shape: shape, models: all)
  }
}

/// Pseudo-random numbers that are the same in every run (SplitMix64).
struct Numbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// Bell-shaped between −3 and 3, with variance 1.
  mutating func normal() -> Double { 2 * (unit() + unit() + unit()) - 3 }

  private mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}
