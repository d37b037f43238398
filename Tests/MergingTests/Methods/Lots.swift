// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// What is expected of elements that were kept at random.
enum Lots {
  /// Expects that the share of hits is what `probability` makes likely: within five standard deviations.
  static func expect(
    _ hits: [Bool], _ probability: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let count = Double(hits.count)
    let share = Double(hits.filter(\.self).count) / count
    let deviation = sqrt(probability * (1 - probability) / count)
    #expect(
      abs(share - probability) <= 5 * deviation,
      "\(share) of \(hits.count), not \(probability)", sourceLocation: sourceLocation)
  }

  /// Tensors on a base of zeros, all elements of a model having one value.
  static func constant(_ values: [Double], _ shape: [Int], name: String = "x")
    -> MethodTrial.Tensor
  {
    let count = shape.reduce(1, *)
    return .init(
      name: name, shape: shape,
      models: [Array(repeating: 0, count: count)]
        + values.map { Array(repeating: $0, count: count) })
  }
}
